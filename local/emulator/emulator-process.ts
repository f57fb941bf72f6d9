import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertPortsFree } from '../stack/ports.ts';
import { StartupProblem } from '../stack/startup-problem.ts';
import { type Emulator, findEmulator, NoEmulatorError } from './find-emulator.ts';

/** The address that every emulator started here listens on, and no other. */
export const HOST = '127.0.0.1';

const LOOK_AGAIN_AFTER_MS = 200;
const GRACE_MS = 5000;

class EmulatorProblem extends StartupProblem {
  override readonly name = 'EmulatorProblem';
}

export interface EmulatorOptions {
  /** Keeps the virtual environment, temporary files and the log; git-ignored. */
  readonly directory: string;
  readonly port: number;
  readonly stopping?: AbortSignal | undefined;
}

export interface EmulatorProgram extends EmulatorOptions {
  readonly name: string;
  /** The variable that chooses another port. */
  readonly portVariable: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** @param temporary an empty folder that is removed in the end. */
  prepare(temporary: string): NodeJS.ProcessEnv;
  readonly giveUpAfterMs: number;
}

export interface RunningEmulator {
  readonly emulator: Emulator;
  readonly logFile: string;
  /** Resolves when it has ended, by itself or because it was stopped. */
  readonly ended: Promise<void>;
  /** Ends it with all its functions, and removes its temporary files. */
  stop(): Promise<void>;
}

/**
 * Starts an emulator and waits until it answers. Nothing of it outlives `stop`.
 * @throws EmulatorProblem, PortInUseError
 */
export async function startEmulatorProcess(program: EmulatorProgram): Promise<RunningEmulator> {
  const { name, directory, port, portVariable, command } = program;
  await assertPortsFree(HOST, [{ port, part: name, variable: portVariable }]);
  const logFile = join(directory, `${name.toLowerCase()}-${String(port)}.log`);
  // An emulator leaves a folder for every function it has run.
  const temporary = join(directory, `tmp-${String(port)}`);
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const log = openSync(logFile, 'w');
  const [file, ...args] = command;
  const child = spawn(file, args, {
    // A group of its own: its functions are ended with it, and Ctrl-C reaches none of them first.
    detached: true,
    // An open input, which closes when this process ends, however that happens.
    stdio: ['pipe', log, log],
    env: environmentOf(program.prepare(temporary), temporary),
  });
  closeSync(log);
  const exited = once(child, 'exit').then(() => undefined);
  const stop = async () => {
    await endGroup(child, exited);
    rmSync(temporary, { recursive: true, force: true });
  };
  try {
    const emulator = await untilItAnswers(program, child, logFile);
    return { emulator, logFile, ended: exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * The environment of an emulator: nothing of the user's but the PATH, so that neither it nor a function of it
 * finds the user's credentials. Functions run on the Node that runs this, whatever else is installed.
 */
function environmentOf(own: NodeJS.ProcessEnv, temporary: string): NodeJS.ProcessEnv {
  return {
    PATH: `${join(process.execPath, '..')}:${process.env['PATH'] ?? ''}`,
    HOME: temporary,
    TMPDIR: temporary,
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    ...own,
  };
}

async function untilItAnswers(
  { name, port, giveUpAfterMs, stopping }: EmulatorProgram,
  child: ChildProcess,
  logFile: string,
): Promise<Emulator> {
  const giveUpAt = performance.now() + giveUpAfterMs;
  for (;;) {
    const isOver = child.exitCode !== null || child.signalCode !== null;
    if (isOver || stopping?.aborted === true || performance.now() > giveUpAt) {
      throw new EmulatorProblem(`${name} does not start; its log is ${logFile}`);
    }
    try {
      return await findEmulator(`http://${HOST}:${String(port)}`);
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
