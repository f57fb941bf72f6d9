import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { seedApi } from './api-fuzz/seed.ts';
import { installPythonProgram } from './emulator/install-python-program.ts';
import { startEmbeddedStack } from './stack/embedded-stack.ts';
import { printFailure, printProgress, stopSignal } from './terminal.ts';

/** `npm run test:api-fuzz`: compares the running API with its document by generated requests (schemathesis). */
const PROGRAM = {
  name: 'schemathesis',
  requirements: [fileURLToPath(new URL('api-fuzz/requirements.txt', import.meta.url))],
  python: { oldest: [3, 11] },
  instead: 'No other part of the tests needs it.',
} as const;

/** The number of cases bounds a run; the time only ends one that hangs. */
const LIMIT_MS = 6 * 60_000;
const MIN_CASES = 3000;

const directory = fileURLToPath(new URL('..', import.meta.url));
const work = join(directory, '.local', 'api-fuzz');
const config = fileURLToPath(new URL('api-fuzz/schemathesis.toml', import.meta.url));
const hooks = fileURLToPath(new URL('api-fuzz', import.meta.url));

/** Answers by operation and status. */
const answersSchema = z.record(z.string(), z.record(z.string(), z.int()));

/** @returns the reasons for which a run proves too little. */
function shortcomings(operations: readonly string[], answers: z.infer<typeof answersSchema>) {
  const of = (operation: string) => Object.entries(answers[operation] ?? {});
  const cases = operations.flatMap(of).reduce((sum, [, count]) => sum + count, 0);
  for (const name of operations) {
    console.log(
      `${name}: ${of(name)
        .map(([status, n]) => `${status} ×${String(n)}`)
        .join(', ')}`,
    );
  }
  console.log(`${String(cases)} cases`);
  return [
    ...(cases < MIN_CASES ? [`fewer than ${String(MIN_CASES)} cases`] : []),
    ...operations
      .filter((name) => !of(name).some(([status]) => status.startsWith('2')))
      .map((name) => `${name} never answered 2xx`),
  ];
}

const METHODS = ['get', 'post', 'put', 'delete', 'patch'];
const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });

function operationsOf(document: unknown): string[] {
  const { paths } = documentSchema.parse(document);
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

/** @returns the exit code. */
async function fuzz(stopping: AbortSignal): Promise<number> {
  mkdirSync(work, { recursive: true });
  const python = await installPythonProgram(PROGRAM, work);
  const secret = randomBytes(32).toString('hex');
  const stack = await startEmbeddedStack({
    ports: { api: 0, companion: 0, stepFunctions: 0, queues: 0, dynamodb: 0 },
    environment: { MAX_OPEN_ORDERS_PER_USER: '40', WEBHOOK_SECRETS: secret },
    logFile: join(work, 'ordersaga.log'),
    onProgress: printProgress,
  });
  try {
    const token = await stack.mintToken('fuzz', 'products:write');
    const files = {
      document: join(work, 'openapi.json'),
      seed: join(work, 'seed.json'),
      answers: join(work, 'answers.json'),
    };
    writeFileSync(files.seed, JSON.stringify(await seedApi(stack.apiUrl, token)));
    writeFileSync(files.answers, '{}');
    // Schemathesis would leave out the operation that it read the document from.
    const document: unknown = await (await fetch(`${stack.apiUrl}/openapi.json`)).json();
    writeFileSync(files.document, JSON.stringify(document));
    const program = [
      ...['-m', 'schemathesis.cli', '--config-file', config],
      ...['run', files.document, '--url', stack.apiUrl],
    ];
    const child = spawn(python, program, {
      cwd: work,
      stdio: ['ignore', 'inherit', 'inherit'],
      signal: AbortSignal.any([stopping, AbortSignal.timeout(LIMIT_MS)]),
      env: {
        ...process.env,
        PYTHONPATH: hooks,
        SCHEMATHESIS_HOOKS: 'hooks',
        API_FUZZ_TOKEN: token,
        API_FUZZ_SECRET: secret,
        API_FUZZ_SEED: files.seed,
        API_FUZZ_ANSWERS: files.answers,
      },
    });
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    const answers = answersSchema.parse(JSON.parse(readFileSync(files.answers, 'utf8')));
    const missing = shortcomings(operationsOf(document), answers);
    for (const reason of missing) console.error(reason);
    return exitCode === 0 && missing.length === 0 ? 0 : 1;
  } finally {
    await stack.stop();
  }
}

const stopping = stopSignal();
try {
  process.exit(await fuzz(stopping));
} catch (error) {
  if (stopping.aborted) process.exit(130);
  printFailure(error);
  process.exit(1);
}
