import { ConfigurationError } from '../lib/platform/config.ts';
import type { Progress } from './stack/parts.ts';
import { StartupProblem } from './stack/startup-problem.ts';

/** Aborts at the first stop signal. The second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const onSignal = () => {
    if (stopping.signal.aborted) process.exit(130);
    console.log('\nStopping; once more to force it.');
    stopping.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stopping.signal;
}

/** Runs a script until it ends or is stopped, prints its failure, and ends the process with its exit code. */
export async function runToExit(script: (stopping: AbortSignal) => Promise<number>): Promise<void> {
  const stopping = stopSignal();
  try {
    process.exit(await script(stopping));
  } catch (error) {
    // Ctrl-C makes the interrupted calls fail.
    if (stopping.aborted) process.exit(130);
    printFailure(error);
    process.exit(1);
  }
}

/** Prints a line for a part of the stack that has started. */
export function printProgress({ part, milliseconds }: Progress): void {
  console.log(`  ✓ ${part.padEnd(16)} ${(milliseconds / 1000).toFixed(1)} s`);
}

/**
 * Prints the message of a problem that a person can mend. Any other error is a defect and is printed with its
 * trace.
 */
export function printFailure(error: unknown): void {
  const isProblem = error instanceof StartupProblem || error instanceof ConfigurationError;
  const words = isProblem ? error.message : diskFailure(error);
  console.error(words === undefined ? error : `\n${words}`);
}

const DISK_FAILURES = /\b(ENOSPC|EDQUOT|EIO|EROFS)\b|database or disk is full|disk I\/O error/;

/** One sentence for a disk error, wherever it occurred; undefined for any other error. */
export function diskFailure(error: unknown): string | undefined {
  const { message } = error instanceof Error ? error : new Error(String(error));
  return DISK_FAILURES.test(message)
    ? `The disk cannot be written (${message}). Make room, then start again: what was answered is kept.`
    : undefined;
}

/** Resolves with a sentence at the first unhandled disk error. Any other unhandled error ends the process. */
function noRoomLeft(): Promise<string> {
  return new Promise((resolve) => {
    process.on('uncaughtException', (error) => {
      const words = diskFailure(error);
      if (words === undefined) {
        console.error(error);
        process.exit(1);
      }
      resolve(words);
    });
  });
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const stop = () => {
      resolve(undefined);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}

/** A long-running program. `broken` resolves with one sentence if it cannot go on. */
interface Staying {
  readonly broken?: Promise<string>;
  stop(): Promise<void>;
}

/** Time that a broken program gets to stop. */
const STOP_TIMEOUT_MS = 10_000;

/**
 * Starts a long-running program, waits for Ctrl-C or SIGTERM, stops it, and ends the process. The exit code is 1
 * if the program could not go on.
 */
export async function untilStopped(
  start: (stopping: AbortSignal) => Promise<Staying>,
): Promise<never> {
  const stopping = stopSignal();
  try {
    const running = await start(stopping);
    const reason = await Promise.race([
      aborted(stopping),
      noRoomLeft(),
      ...(running.broken === undefined ? [] : [running.broken]),
    ]);
    if (reason === undefined) {
      await running.stop();
      process.exit(0);
    }
    console.error(`\n${reason}`);
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS);
    await running.stop();
    process.exit(1);
  } catch (error) {
    // Ctrl-C also reaches the programs that a start runs, and makes them fail.
    if (stopping.aborted) process.exit(0);
    printFailure(error);
    process.exit(1);
  }
}
