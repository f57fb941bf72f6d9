import type { Config } from '../../platform/config.ts';
import { SAGA_CONSTANTS } from '../../platform/settings.ts';

/** How long each state in which the system owes the next move may last, grace included. */
export interface Deadlines {
  /** From a write until the dispatcher does what its handler should have done at once. */
  readonly dispatchMs: number;
  /** From the start of the reservation until its step has ended one way or the other. */
  readonly reservingMs: number;
  /** From the start of the charge until the payment is confirmed or compensated. */
  readonly payingMs: number;
  /**
   * How long stock is held for a charge: through a saga that fails as late as it can, until the
   * dispatcher has noticed, and through its successor.
   */
  readonly holdMs: number;
  /** Between two tries of the dispatcher to finish an obligation through its queue. */
  readonly obligationMs: number;
}

export function deadlinesOf(config: Config): Deadlines {
  const dispatchMs = config.DISPATCH_AFTER_SECONDS * 1000;
  const retries = (timeoutMs: number): number => {
    let totalMs = timeoutMs;
    for (let retry = 0; retry < config.RETRY_MAX_ATTEMPTS; retry += 1) {
      const delaySeconds = Math.min(
        SAGA_CONSTANTS.RETRY_MAX_DELAY_SECONDS,
        config.RETRY_BASE_SECONDS * 2 ** retry,
      );
      totalMs += timeoutMs + delaySeconds * 1000;
    }
    return totalMs;
  };
  const inventoryMs = retries(config.INVENTORY_TIMEOUT_MS);
  const gatewayMs = retries(config.GATEWAY_TIMEOUT_MS);
  // Charge (extension and gateway), acknowledgement, asking and voiding, confirmation.
  const payingMs =
    inventoryMs +
    gatewayMs +
    config.PAYMENT_ACK_TIMEOUT_SECONDS * 1000 +
    2 * gatewayMs +
    inventoryMs +
    dispatchMs;
  return {
    dispatchMs,
    // A pause uses up no retries: all of them may come before an outage and again after it.
    reservingMs: 2 * inventoryMs + config.INVENTORY_OUTAGE_BUDGET_SECONDS * 1000 + dispatchMs,
    payingMs,
    holdMs: 2 * payingMs + 2 * (dispatchMs + config.SCHEDULE_SECONDS * 1000),
    // Not before the queue has done with the message before: about eleven minutes of growing delays.
    obligationMs: Math.max(15 * 60 * 1000, 2 * (gatewayMs + inventoryMs)),
  };
}

/** A timer that fires this much early, by two machines' clocks, still counts as in time. */
export function clockSkewMs(timeoutSeconds: number): number {
  return Math.min(2000, timeoutSeconds * 100);
}

/** When an order whose run ended in exhaustion is run again: soon at first, then ever later. */
export function nextRunMs(deadlines: Deadlines, run: number): number {
  return Math.min(60 * 60 * 1000, deadlines.dispatchMs * 2 ** Math.min(run - 1, 20));
}
