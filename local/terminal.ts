import { ConfigurationError } from '../lib/platform/config.ts';
import type { Progress } from './stack/parts.ts';
import { StartupProblem } from './stack/startup-problem.ts';

/** Aborts at the first signal to stop; the second ends the process at once. */
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

/** A line for a part of the stack that came up. */
export function printProgress({ part, milliseconds }: Progress): void {
  console.log(`  ✓ ${part.padEnd(16)} ${(milliseconds / 1000).toFixed(1)} s`);
}

/** What a person can put right is told in words; anything else is a defect and shows its trace. */
export function printFailure(error: unknown): void {
  const isProblem = error instanceof StartupProblem || error instanceof ConfigurationError;
  const words = isProblem ? error.message : diskFailure(error);
  console.error(words === undefined ? error : `\n${words}`);
}

const DISK_FAILURES = /\b(ENOSPC|EDQUOT|EIO|EROFS)\b|database or disk is full|disk I\/O error/;

/** One sentence for an error of the disk, wherever it came up; undefined for any other. */
export function diskFailure(error: unknown): string | undefined {
  const { message } = error instanceof Error ? error : new Error(String(error));
  return DISK_FAILURES.test(message)
    ? `The disk cannot be written (${message}). Make room, then start again: what was answered is kept.`
    : undefined;
}

/** Resolves with a sentence at the first error of the disk that nobody handles; any other ends the process. */
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

/** Something that stays until it is stopped, or cannot go on: then it says why, in one sentence. */
interface Staying {
  readonly broken?: Promise<string>;
  stop(): Promise<void>;
}

/** Time that something broken is given to stop. */
const STOP_WITHIN_MS = 10_000;

/**
 * Starts something that stays, waits for Ctrl-C or SIGTERM, stops it, and ends the process: with 1
 * if it could not go on.
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
    setTimeout(() => process.exit(1), STOP_WITHIN_MS);
    await running.stop();
    process.exit(1);
  } catch (error) {
    // Ctrl-C reaches the programs that a start runs too, and fails it.
    if (stopping.aborted) process.exit(0);
    printFailure(error);
    process.exit(1);
  }
}
