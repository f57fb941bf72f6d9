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
  console.error(isProblem ? `\n${error.message}` : error);
}

/** Starts something that stays, waits for Ctrl-C or SIGTERM, stops it, and ends the process. */
export async function untilStopped(
  start: (stopping: AbortSignal) => Promise<{ stop(): Promise<void> }>,
): Promise<never> {
  const stopping = stopSignal();
  try {
    const running = await start(stopping);
    if (!stopping.aborted) {
      await new Promise((resolve) => {
        stopping.addEventListener('abort', resolve);
      });
    }
    await running.stop();
    process.exit(0);
  } catch (error) {
    // Ctrl-C reaches the programs that a start runs too, and fails it.
    if (stopping.aborted) process.exit(0);
    printFailure(error);
    process.exit(1);
  }
}
