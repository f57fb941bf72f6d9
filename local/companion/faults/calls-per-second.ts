import type { Clock } from '../../../lib/platform/clock.ts';

/**
 * Counts calls in each second of the clock.
 * @returns a function to call once a call; it answers how many there were in the present second, this one included.
 */
export function callsPerSecond(clock: Pick<Clock, 'now'>): () => number {
  let second = 0;
  let calls = 0;
  return () => {
    const present = Math.floor(clock.now() / 1000);
    if (present !== second) [second, calls] = [present, 0];
    calls += 1;
    return calls;
  };
}
