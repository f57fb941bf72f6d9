import { overrideEnvironment } from '../../local/stack/environment.ts';
import type { RandomStream } from './random-stream.ts';
import type { VirtualClock } from './virtual-clock.ts';

/**
 * Replaces the time (idempotency library), randomness (the interpreter's jitter) and settings that libraries
 * read from the process. The returned function restores them.
 */
export function overrideGlobals(
  clock: VirtualClock,
  random: RandomStream,
  environment: Readonly<Record<string, string | undefined>>,
): () => void {
  const before = { now: Date.now, random: Math.random };
  const restoreEnvironment = overrideEnvironment(environment);
  Date.now = () => clock.now();
  Math.random = () => random.next();
  return () => {
    Date.now = before.now;
    Math.random = before.random;
    restoreEnvironment();
  };
}
