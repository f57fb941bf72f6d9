import { type Deadlines, deadlinesOf, nextRunMs } from '../lib/orders/recovery/deadlines.ts';
import type { Config } from '../lib/platform/config.ts';
import type { Runtime } from '../lib/platform/lambda/runtime.ts';
import type { AlwaysLimits } from './always.ts';
import type { Snapshot } from './world/snapshot.ts';

/**
 * Longest time that a world may take to rest once all faults are over, by design. In the worst case
 * everything that moves it on is lost. It then stands still until its latest deadline, and goes the whole way
 * once.
 */
export function longestRestMs(config: Config, { orders }: Pick<Snapshot, 'orders'>): number {
  const deadlines = deadlinesOf(config);
  const runs = Math.max(1, ...orders.map(({ run }) => run));
  return standstillMs(config, deadlines, runs) + passageMs(config, deadlines);
}

/**
 * Latest of the deadlines: of an order, an obligation, a lost wait for the user, and a saga that used up its
 * retries.
 */
function standstillMs(config: Config, deadlines: Deadlines, runs: number): number {
  return Math.max(
    deadlines.reservingMs,
    deadlines.payingMs,
    deadlines.obligationMs,
    config.RESERVATION_TTL_SECONDS * 1000 + deadlines.dispatchMs,
    nextRunMs(deadlines, runs),
  );
}

/** Limits of this world that hold at any moment. */
export function limitsOf({ runtime }: { readonly runtime: Pick<Runtime, 'config'> }): AlwaysLimits {
  const { config } = runtime;
  return {
    allowanceMs: deadlinesOf(config).allowanceMs,
    maxOpenOrders: config.MAX_OPEN_ORDERS_PER_USER,
    defaultMaxPerOrder: config.DEFAULT_MAX_PER_ORDER,
  };
}

/** One dispatcher round, then all steps of a run; its charge may have to wait for an acknowledgement. */
function passageMs(config: Config, deadlines: Deadlines): number {
  return config.SCHEDULE_SECONDS * 1000 + deadlines.reservingMs + deadlines.payingMs;
}
