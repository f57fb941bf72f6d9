import { overrideEnvironment } from '../../local/stack/environment.ts';
import type { RandomStream } from './random-stream.ts';
import type { VirtualClock } from './virtual-clock.ts';

/**
 * Libraries ask the process itself for the time (idempotency), for randomness (the interpreter's
 * jitter) and for their settings. Until the returned function is called, the world answers.
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
