import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assertPortsFree } from '../stack/ports.ts';
import { StartupProblem } from '../stack/startup-problem.ts';
import { type Emulator, findEmulator, NoEmulatorError } from './find-emulator.ts';

const HOST = '127.0.0.1';
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const LAUNCHER = fileURLToPath(new URL('patched_ministack.py', import.meta.url));
const IS_NEW_ENOUGH = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';

const GIVE_UP_AFTER_MS = 60_000;
const LOOK_AGAIN_AFTER_MS = 200;
const GRACE_MS = 5000;

const run = promisify(execFile);

class MiniStackProblem extends StartupProblem {
  override readonly name = 'MiniStackProblem';
}

export interface MiniStackOptions {
  /** Keeps the virtual environment, temporary files and the log; git-ignored. */
  readonly directory: string;
  readonly port: number;
  readonly stopping?: AbortSignal | undefined;
}

export interface MiniStack {
  readonly emulator: Emulator;
  readonly logFile: string;
  /** Resolves when it has ended, by itself or because it was stopped. */
  readonly ended: Promise<void>;
  /** Ends it with all its functions, and removes its temporary files. */
  stop(): Promise<void>;
}

/**
 * Installs MiniStack where it is not yet: what requirements.txt pins, each file by its hash, in a
 * virtual environment of its own.
 * @returns the Python that runs it. @throws MiniStackProblem that says what is missing.
 */
async function installMiniStack(directory: string): Promise<string> {
  const environment = join(directory, 'venv');
  const python = join(environment, 'bin', 'python');
  const stamp = join(environment, 'installed');
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  if (readStamp(stamp) === wanted) return python;
  await assertPython();
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  try {
    await run('python3', ['-m', 'venv', environment]);
    const options = ['--quiet', '--disable-pip-version-check', '--require-hashes', '--no-deps'];
    await run(python, ['-m', 'pip', 'install', ...options, '--requirement', REQUIREMENTS]);
  } catch (cause) {
    const { stderr = String(cause) } = cause as { readonly stderr?: string };
    throw new MiniStackProblem(`MiniStack cannot be installed:\n${stderr.trimEnd()}`, { cause });
  }
  writeFileSync(stamp, wanted);
  return python;
}

function readStamp(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function assertPython(): Promise<void> {
  try {
    await run('python3', ['-c', IS_NEW_ENOUGH]);
  } catch (cause) {
    throw new MiniStackProblem(
      'MiniStack needs python3, 3.10 or newer, with its venv module. ' +
        'Debian, Ubuntu: apt-get install python3-venv; macOS: brew install python; or https://www.python.org/downloads.\n' +
        'With Docker it goes without: docker compose up, and then npm run deploy:local or ' +
        'npm run test:stack -- --endpoint http://127.0.0.1:4566',
      { cause },
    );
  }
}

/**
 * Starts MiniStack, patched, on the loopback interface. Nothing of it outlives `stop`.
 * @throws MiniStackProblem, PortInUseError
 */
export async function startMiniStack(options: MiniStackOptions): Promise<MiniStack> {
  const { directory, port, stopping } = options;
  const python = await installMiniStack(directory);
  await assertPortsFree(HOST, [{ port, part: 'MiniStack', variable: 'MINISTACK_PORT' }]);
  const logFile = join(directory, `ministack-${String(port)}.log`);
  // It leaves a folder for every function it has run.
  const temporary = join(directory, `tmp-${String(port)}`);
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  // Without it the functions in there would be taken for ES modules, as this project's files are.
  writeFileSync(join(temporary, 'package.json'), '{ "type": "commonjs" }');
  const log = openSync(logFile, 'w');
  const child = spawn(python, [LAUNCHER], {
    // A group of its own: its functions are ended with it, and Ctrl-C reaches none of them first.
    detached: true,
    stdio: ['ignore', log, log],
    env: environmentOf(port, temporary),
  });
  closeSync(log);
  const exited = once(child, 'exit').then(() => undefined);
  const stop = async () => {
    await endGroup(child, exited);
    rmSync(temporary, { recursive: true, force: true });
  };
  try {
    const endpoint = `http://${HOST}:${String(port)}`;
    const emulator = await untilItAnswers(endpoint, child, logFile, stopping);
    return { emulator, logFile, ended: exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Its functions are run by the Node that runs this, whatever else is installed. */
function environmentOf(port: number, temporary: string): NodeJS.ProcessEnv {
  const { PATH = '', HOME } = process.env;
  return {
    PATH: `${join(process.execPath, '..')}:${PATH}`,
    HOME,
    TMPDIR: temporary,
    GATEWAY_PORT: String(port),
    BIND_HOST: HOST,
    // In the URLs of queues.
    MINISTACK_HOST: HOST,
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

async function untilItAnswers(
  endpoint: string,
  child: ChildProcess,
  logFile: string,
  stopping: AbortSignal | undefined,
): Promise<Emulator> {
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const isOver = child.exitCode !== null || child.signalCode !== null;
    if (isOver || stopping?.aborted === true || performance.now() > giveUpAt) {
      throw new MiniStackProblem(`MiniStack does not start; its log is ${logFile}`);
    }
    try {
      return await findEmulator(endpoint);
    } catch (error) {
      if (!(error instanceof NoEmulatorError)) throw error;
    }
    await sleep(LOOK_AGAIN_AFTER_MS);
  }
}

async function endGroup(child: ChildProcess, exited: Promise<void>): Promise<void> {
  signalGroup(child, 'SIGTERM');
  await Promise.race([exited, sleep(GRACE_MS, undefined, { ref: false })]);
  signalGroup(child, 'SIGKILL');
  await exited;
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}
