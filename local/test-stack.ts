import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type DeployedStack, startDeployedStack } from './emulator/deployed-stack.ts';
import {
  EMULATOR_NAMES,
  type Emulator,
  type EmulatorKind,
  findEmulator,
} from './emulator/find-emulator.ts';
import { START_EMULATOR } from './emulator/start-emulator.ts';
import { Parts } from './stack/parts.ts';
import { findFreePort } from './stack/ports.ts';
import { StartupProblem } from './stack/startup-problem.ts';
import { printProgress, runToExit } from './terminal.ts';

const USAGE = `Usage: npm run test:stack -- [--emulator NAME | --endpoint URL] [FILE...]
  Deploys to an emulator of AWS and runs the end-to-end suite there.
  --emulator NAME   ministack (the default) or localstack: one is started for the tests
  --endpoint URL    an emulator that already runs
  FILE              only test files whose path contains it`;

/** Short times, so that whole lifecycles take less than a minute. */
const PARAMETERS = {
  RESERVATION_TTL_SECONDS: '45',
  PAYMENT_ACK_TIMEOUT_SECONDS: '10',
  // A function may start cold on a busy machine.
  INVENTORY_TIMEOUT_MS: '5000',
  INVENTORY_OUTAGE_BUDGET_SECONDS: '20',
  RETRY_MAX_ATTEMPTS: '3',
  DISPATCH_AFTER_SECONDS: '5',
  QUEUE_MAX_RECEIVES: '3',
  // One test's outage must not open the circuit for another test.
  CIRCUIT_MIN_CALLS: '1000',
  // Some files have one user for all their orders.
  MAX_OPEN_ORDERS_PER_USER: '40',
};

class UsageProblem extends StartupProblem {
  override readonly name = 'UsageProblem';
}

const directory = fileURLToPath(new URL('..', import.meta.url));
const local = join(directory, '.local');

interface Arguments {
  readonly kind: EmulatorKind;
  readonly endpoint: string | undefined;
  readonly files: readonly string[];
}

function readArguments(): Arguments {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { endpoint: { type: 'string' }, emulator: { type: 'string' } },
    });
    const { endpoint, emulator = 'ministack' } = values;
    if (!isEmulatorKind(emulator)) throw new Error(`--emulator ${emulator} is not known.`);
    if (endpoint !== undefined && values.emulator !== undefined) {
      throw new Error('--endpoint and --emulator exclude each other.');
    }
    return { kind: emulator, endpoint, files: positionals };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageProblem(`${why}\n${USAGE}`, { cause });
  }
}

function isEmulatorKind(name: string): name is EmulatorKind {
  return Object.hasOwn(EMULATOR_NAMES, name);
}

async function emulatorFor(
  { kind, endpoint }: Arguments,
  parts: Parts,
  stopping: AbortSignal,
): Promise<Emulator> {
  if (endpoint !== undefined) return findEmulator(endpoint);
  return parts.start(EMULATOR_NAMES[kind], async () => {
    const port = await findFreePort('127.0.0.1');
    const directory = join(local, kind);
    const running = await START_EMULATOR[kind]({ directory, port, stopping });
    parts.onStop(() => running.stop());
    return running.emulator;
  });
}

async function runSuite(
  stack: DeployedStack,
  emulator: Emulator,
  files: readonly string[],
  stopping: AbortSignal,
): Promise<number> {
  const manifest = createRequire(import.meta.url).resolve('vitest/package.json');
  const cli = join(dirname(manifest), 'vitest.mjs');
  const child = spawn(
    process.execPath,
    [cli, 'run', '--config', 'vitest.stack.config.ts', ...files],
    {
      cwd: directory,
      stdio: ['ignore', 'inherit', 'inherit'],
      signal: stopping,
      env: {
        ...process.env,
        STACK_API_URL: stack.apiUrl,
        STACK_COMPANION_URL: stack.companionUrl,
        STACK_EMULATOR: emulator.kind,
        STEP_FUNCTIONS_ENDPOINT: emulator.endpoint,
      },
    },
  );
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  return exitCode ?? 1;
}

/** @returns the exit code. */
async function main(stopping: AbortSignal): Promise<number> {
  const given = readArguments();
  const parts = new Parts(printProgress);
  try {
    const emulator = await emulatorFor(given, parts, stopping);
    console.log(`  ${emulator.kind} ${emulator.version} at ${emulator.endpoint}`);
    const stack = await startDeployedStack({
      directory,
      emulator,
      companionPort: 0,
      parameters: PARAMETERS,
      logFile: join(local, `stack-deploy-${emulator.kind}.log`),
      onProgress: printProgress,
      stopping,
    });
    parts.onStop(() => stack.stop());
    return await runSuite(stack, emulator, given.files, stopping);
  } finally {
    await parts.stop();
  }
}

await runToExit(main);
