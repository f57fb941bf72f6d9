import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertPortsFree } from '../stack/ports.ts';
import { StartupProblem } from '../stack/startup-problem.ts';
import { type Emulator, findEmulator, NoEmulatorError } from './find-emulator.ts';

/** The only address that an emulator started here listens on. */
export const HOST = '127.0.0.1';

const LOOK_AGAIN_AFTER_MS = 200;
const GRACE_MS = 5000;

class EmulatorProblem extends StartupProblem {
  override readonly name = 'EmulatorProblem';
}

export interface EmulatorOptions {
  /** Holds the virtual environment, temporary files and the log; git-ignored. */
  readonly directory: string;
  readonly port: number;
  readonly stopping?: AbortSignal | undefined;
}

export interface EmulatorProgram extends EmulatorOptions {
  readonly name: string;
  /** Environment variable that chooses another port. */
  readonly portVariable: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** @param temporary an empty folder that `stop` removes. */
  prepare(temporary: string): NodeJS.ProcessEnv;
  readonly giveUpAfterMs: number;
}

export interface RunningEmulator {
  readonly emulator: Emulator;
  readonly logFile: string;
  /** Resolves after the emulator has ended, by itself or by `stop`. */
  readonly ended: Promise<void>;
  /** Ends the emulator with all its functions, and removes its temporary files. */
  stop(): Promise<void>;
}

/**
 * Starts an emulator and waits until it answers. No process and no temporary file of it outlives `stop`.
 * @throws EmulatorProblem, PortInUseError
 */
export async function startEmulatorProcess(program: EmulatorProgram): Promise<RunningEmulator> {
  const { name, directory, port, portVariable, command } = program;
  await assertPortsFree(HOST, [{ port, part: name, variable: portVariable }]);
  const logFile = join(directory, `${name.toLowerCase()}-${String(port)}.log`);
  // An emulator leaves a folder behind for every function it has run.
  const temporary = join(directory, `tmp-${String(port)}`);
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const log = openSync(logFile, 'w');
  const [file, ...args] = command;
  const child = spawn(file, args, {
    // A process group of its own: `stop` ends its functions with it, and Ctrl-C reaches none of them first.
    detached: true,
    // The emulator ends when this pipe closes, which the system does however this process ends.
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
 * Environment of an emulator. Of the user's variables it holds only the PATH, so neither the emulator nor a
 * function finds the user's credentials. Functions run on the Node that runs this process, even if another one is
 * installed.
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
    // No process of the group is left.
  }
}
