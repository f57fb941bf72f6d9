import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seedApi } from './api-fuzz/seed.ts';
import {
  answersSchema,
  type FuzzRun,
  MAX_SECONDS,
  operationsOf,
  shortcomingsOf,
  summaryOf,
} from './api-fuzz/verdict.ts';
import { installPythonProgram } from './emulator/install-python-program.ts';
import { type EmbeddedStack, startEmbeddedStack } from './stack/embedded-stack.ts';
import { printProgress, runToExit } from './terminal.ts';

/** `npm run test:api-fuzz`: compares the running API with its document by generated requests (schemathesis). */
const PROGRAM = {
  name: 'schemathesis',
  requirements: [fileURLToPath(new URL('api-fuzz/requirements.txt', import.meta.url))],
  python: { oldest: [3, 11] },
  instead: 'No other part of the tests needs it.',
} as const;

const directory = fileURLToPath(new URL('..', import.meta.url));
const work = join(directory, '.local', 'api-fuzz');
const config = fileURLToPath(new URL('api-fuzz/schemathesis.toml', import.meta.url));
const hooks = fileURLToPath(new URL('api-fuzz', import.meta.url));

const secret = randomBytes(32).toString('hex');

const files = {
  document: join(work, 'openapi.json'),
  seed: join(work, 'seed.json'),
  answers: join(work, 'answers.json'),
};

/** Runs schemathesis until it ends, its time is up or a person stops it. */
async function fuzz(python: string, stack: EmbeddedStack, stopping: AbortSignal): Promise<FuzzRun> {
  const token = await stack.mintToken('fuzz', 'products:write');
  writeFileSync(files.seed, JSON.stringify(await seedApi(stack.apiUrl, token)));
  writeFileSync(files.answers, '{}');
  // Schemathesis would leave out the operation that it read the document from.
  const document: unknown = await (await fetch(`${stack.apiUrl}/openapi.json`)).json();
  writeFileSync(files.document, JSON.stringify(document));
  const program = [
    ...['-m', 'schemathesis.cli', '--config-file', config],
    ...['run', files.document, '--url', stack.apiUrl],
  ];
  const beganMs = performance.now();
  const child = spawn(python, program, {
    cwd: work,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      PYTHONPATH: hooks,
      PYTHONDONTWRITEBYTECODE: '1',
      SCHEMATHESIS_HOOKS: 'hooks',
      API_FUZZ_TOKEN: token,
      API_FUZZ_SECRET: secret,
      API_FUZZ_SEED: files.seed,
      API_FUZZ_ANSWERS: files.answers,
    },
  });
  const ended = AbortSignal.any([stopping, AbortSignal.timeout(MAX_SECONDS * 1000)]);
  const onEnded = () => child.kill();
  if (ended.aborted) onEnded();
  else ended.addEventListener('abort', onEnded);
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  return {
    operations: operationsOf(document),
    answers: answersSchema.parse(JSON.parse(readFileSync(files.answers, 'utf8'))),
    seconds: (performance.now() - beganMs) / 1000,
    exitCode,
  };
}

/** @returns the exit code. */
async function main(stopping: AbortSignal): Promise<number> {
  mkdirSync(work, { recursive: true });
  const python = await installPythonProgram(PROGRAM, work);
  const stack = await startEmbeddedStack({
    ports: { api: 0, companion: 0, stepFunctions: 0, queues: 0, dynamodb: 0 },
    environment: { MAX_OPEN_ORDERS_PER_USER: '40', WEBHOOK_SECRETS: secret },
    logFile: join(work, 'ordersaga.log'),
    onProgress: printProgress,
  });
  try {
    const run = await fuzz(python, stack, stopping);
    if (stopping.aborted) return 130;
    console.log(summaryOf(run));
    const shortcomings = shortcomingsOf(run);
    for (const reason of shortcomings) console.error(`failed: ${reason}`);
    return shortcomings.length === 0 ? 0 : 1;
  } finally {
    await stack.stop();
  }
}

await runToExit(main);
