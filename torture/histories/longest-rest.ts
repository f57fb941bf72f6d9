import { type Deadlines, deadlinesOf, nextRunMs } from '../../lib/orders/recovery/deadlines.ts';
import type { Config } from '../../lib/platform/config.ts';
import type { Snapshot } from '../world/snapshot.ts';

/**
 * How long a world may take to rest once everything goes well again, by design. At the worst all that
 * moves it on has just been lost: then it stands still until the latest time at which something looks
 * at it again, and from there on it goes the whole way once.
 */
export function longestRestMs(config: Config, { orders }: Pick<Snapshot, 'orders'>): number {
  const deadlines = deadlinesOf(config);
  const runs = Math.max(1, ...orders.map(({ run }) => run));
  return standstillMs(config, deadlines, runs) + passageMs(config, deadlines);
}

/** An order's deadlines, an obligation's, a wait for the user that nobody ends, a worn-out saga's. */
function standstillMs(config: Config, deadlines: Deadlines, runs: number): number {
  return Math.max(
    deadlines.reservingMs,
    deadlines.payingMs,
    deadlines.obligationMs,
    config.RESERVATION_TTL_SECONDS * 1000 + deadlines.dispatchMs,
    nextRunMs(deadlines, runs),
  );
}

/** The dispatcher's round, then all steps of a run: its charge may have to wait for an acknowledgement. */
function passageMs(config: Config, deadlines: Deadlines): number {
  return config.SCHEDULE_SECONDS * 1000 + deadlines.reservingMs + deadlines.payingMs;
}
