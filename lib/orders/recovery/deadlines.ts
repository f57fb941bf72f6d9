import {
  FUNCTION_SECONDS,
  reservationWaitSeconds,
  SAGA_CONSTANTS,
  TASK_SECONDS,
} from '../../../statemachines/constants.ts';
import { Durations } from '../../../statemachines/durations.ts';
import { ORDER_SAGA } from '../../../statemachines/order-saga.ts';
import { OVER_THE_NETWORK } from '../../platform/aws/aws-access.ts';
import { type Config, ConfigurationError } from '../../platform/config.ts';

/**
 * Longest durations of the states in which the system owes the next move, grace included, and the
 * tolerances of the saga's timers.
 */
export interface Deadlines {
  /** From a write until the dispatcher does what its handler should have done at once. */
  readonly dispatchMs: number;
  /**
   * From the start of the reservation until its step has ended one way or the other. If the run goes
   * on, the dispatcher that looks then only wakes it.
   */
  readonly reservingMs: number;
  /** From the start of the charge until the payment is confirmed or its compensation begins. */
  readonly payingMs: number;
  /**
   * Time for which stock is held for a charge: through a run that fails as late as it can, until the
   * dispatcher has noticed, and through its successor. A run that ends well does not wait for its end:
   * it sells the stock or releases it.
   */
  readonly holdMs: number;
  /**
   * Time by which a hold outlasts the time to pay: a payment that begins at the last moment, whose signal is lost,
   * is charged while `holdMs` of it are left. Inventory is told it with every reservation.
   */
  readonly allowanceMs: number;
  /** Time for which Inventory is asked to hold stock: to pay, the allowance, and until Inventory has answered. */
  readonly holdSeconds: number;
  /** Between two tries of the dispatcher to finish an obligation through its queue. */
  readonly obligationMs: number;
  /** A timer of the reservation that fires this much early, by two machines' clocks, counts as in time. */
  readonly reservationSkewMs: number;
  /** As `reservationSkewMs`, for the timer of the acknowledgement. */
  readonly acknowledgementSkewMs: number;
}

/**
 * Computes the deadlines from the saga's table, so a new state or retry in it moves them.
 * @throws ConfigurationError if Inventory would not hold stock for as long as an order and its payment may take, or a
 * try of a step would outlast its function.
 */
export function deadlinesOf(config: Config): Deadlines {
  const amounts = {
    ...config,
    ...SAGA_CONSTANTS,
    RESERVATION_WAIT_SECONDS: reservationWaitSeconds(config.RESERVATION_TTL_SECONDS),
  };
  const callMs = { inventory: config.INVENTORY_TIMEOUT_MS, gateway: config.GATEWAY_TIMEOUT_MS };
  const saga = new Durations(ORDER_SAGA, {
    amountOf: (name) => amounts[name],
    callMs: (service) => callMs[service],
    awsCallMs: OVER_THE_NETWORK.requestTimeout,
  });
  const attemptMs = saga.longestAttemptMs();
  if (attemptMs > FUNCTION_SECONDS * 1000) {
    throw new ConfigurationError(
      `Bad configuration. One try of a step may take ${String(attemptMs)} ms with these time-outs, and its function ` +
        `ends after ${String(FUNCTION_SECONDS)} s; lower INVENTORY_TIMEOUT_MS or GATEWAY_TIMEOUT_MS.`,
    );
  }
  const dispatchMs = config.DISPATCH_AFTER_SECONDS * 1000;
  // From Compensate on the order only owes, and `obligationMs` counts.
  const chargeMs = saga.passageMs('TakePayment', ['Compensate']);
  const payingMs = chargeMs + dispatchMs;
  // Before the charge a later run finds nothing to reserve and nothing to wait for.
  const successorMs = saga.arrivalMs('TakePayment') + chargeMs;
  const foundMs = dispatchMs + config.SCHEDULE_SECONDS * 1000;
  const holdMs = payingMs + 2 * foundMs + successorMs;
  const allowanceMs = TASK_SECONDS * 1000 + foundMs + holdMs;
  const holdSeconds =
    config.RESERVATION_TTL_SECONDS + Math.ceil((allowanceMs + config.INVENTORY_TIMEOUT_MS) / 1000);
  if (holdSeconds > config.MAX_HOLD_SECONDS) {
    throw new ConfigurationError(
      `Bad configuration. MAX_HOLD_SECONDS is ${String(config.MAX_HOLD_SECONDS)}: with these time-outs and retries ` +
        `an order and its payment need ${String(holdSeconds)}; raise it, or lower RESERVATION_TTL_SECONDS, ` +
        'PAYMENT_ACK_TIMEOUT_SECONDS, INVENTORY_OUTAGE_BUDGET_SECONDS or the retries.',
    );
  }
  return {
    dispatchMs,
    reservingMs:
      saga.passageMs('ReserveStock', ['TakePayment', 'RejectReservation', 'Compensate']) +
      dispatchMs,
    payingMs,
    holdMs,
    allowanceMs,
    holdSeconds,
    // Not before the queue has done with the message before: about eleven minutes of growing delays.
    obligationMs: Math.max(15 * 60 * 1000, 2 * saga.triesMs('Compensate')),
    reservationSkewMs: clockSkewMs(config.RESERVATION_TTL_SECONDS),
    acknowledgementSkewMs: clockSkewMs(config.PAYMENT_ACK_TIMEOUT_SECONDS),
  };
}

/** A tenth of the timer, at most two seconds. */
function clockSkewMs(timeoutSeconds: number): number {
  return Math.min(2000, timeoutSeconds * 100);
}

/** Delay after which an order whose run was exhausted is run again: soon at first, then ever later. */
export function nextRunMs(deadlines: Deadlines, run: number): number {
  return Math.min(60 * 60 * 1000, deadlines.dispatchMs * 2 ** Math.min(run - 1, 20));
}
