import {
  CacheTimeout,
  InventoryCircuitOpen,
  InventoryRestarting,
  InventoryThrottled,
  InventoryTimeout,
  InventoryUnavailable,
  LockContention,
} from '../lib/inventory/refusals.ts';
import { InventoryPaused } from '../lib/orders/saga/signals.ts';
import { GatewayThrottled, GatewayUnavailable, GatewayUnknown } from '../lib/payments/refusals.ts';
import {
  ConcurrentUpdate,
  DatabaseThrottled,
  InfrastructureUnavailable,
} from '../lib/platform/errors.ts';
import type { Failure, RetryPolicy } from './state-machine.ts';

/*
 * After a change: `npm run statemachine`, and the numbers by hand in tests/unit/lib/orders/recovery/deadlines.test.ts.
 * Amounts are numbers or names; a number that steps share is a constant (constants.ts) or a setting
 * (lib/platform/settings.ts).
 */

/** Lambda had no instance free: the function did not run. */
export const LAMBDA_THROTTLED: readonly Failure[] = ['Lambda.TooManyRequestsException'];

/** The function was not run, or the Lambda service does not know. */
export const LAMBDA_SERVICE: readonly Failure[] = [
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
];

/** The function died in the middle: what it did before is unknown. */
const LAMBDA_DIED: readonly Failure[] = ['Lambda.Unknown', 'Runtime.ExitError', 'Sandbox.Timedout'];

export const DATABASE: readonly Failure[] = [InfrastructureUnavailable, ConcurrentUpdate];

export const INVENTORY: readonly Failure[] = [
  InventoryTimeout,
  InventoryUnavailable,
  CacheTimeout,
  LockContention,
];

/** Inventory said when to come back; sooner there is no point in it. */
export const INVENTORY_AWAY: readonly Failure[] = [InventoryRestarting, InventoryCircuitOpen];

const GATEWAY: readonly Failure[] = [GatewayUnavailable, GatewayUnknown];

/** Too many calls at once: nothing was done, and the answer came at once. */
const OVERLOAD: readonly Failure[] = [InventoryThrottled, GatewayThrottled, DatabaseThrottled];

const TIME_OUT: readonly Failure[] = ['States.Timeout'];

function backOff(...on: readonly (readonly Failure[])[]): RetryPolicy {
  return {
    on: on.flat(),
    intervalSeconds: 'RETRY_BASE_SECONDS',
    maxAttempts: 'RETRY_MAX_ATTEMPTS',
    backoffRate: 2,
    maxDelaySeconds: 'RETRY_MAX_DELAY_SECONDS',
    jitter: 'FULL',
  };
}

/** For a step that may be repeated whatever became of it, and calls neither of the two services. */
export const REPEATABLE = backOff(LAMBDA_SERVICE, LAMBDA_DIED, DATABASE, TIME_OUT);
/** The time-out of a wait is no failure: it is what the wait is for. */
export const WAIT = backOff(LAMBDA_SERVICE, LAMBDA_DIED, DATABASE);
export const WITH_INVENTORY = backOff(LAMBDA_SERVICE, LAMBDA_DIED, DATABASE, INVENTORY, TIME_OUT);
export const WITH_GATEWAY = backOff(LAMBDA_SERVICE, LAMBDA_DIED, DATABASE, GATEWAY, TIME_OUT);
export const WITH_BOTH = backOff(
  LAMBDA_SERVICE,
  LAMBDA_DIED,
  DATABASE,
  INVENTORY,
  GATEWAY,
  TIME_OUT,
);
/** Only if it is certain that nothing was charged, or that the gateway takes the same key again. */
export const CHARGE = backOff(LAMBDA_SERVICE, DATABASE, INVENTORY, [GatewayUnavailable]);

/**
 * Of a reservation that Inventory holds up. After these retries WaitForInventory leads back to them: the step itself
 * ends the outage budget. The delays stay short, so that a recovered or throttled Inventory is soon busy again.
 */
export const HELD_UP: RetryPolicy = {
  on: [InventoryPaused],
  intervalSeconds: 'RETRY_BASE_SECONDS',
  maxAttempts: 8,
  backoffRate: 2,
  maxDelaySeconds: 'INVENTORY_PAUSE_SECONDS',
  jitter: 'FULL',
};

/**
 * Of every step, with a counter of its own, and short delays that full jitter spreads: what gets through stays near what
 * the other side takes, and overload uses up no retries of an outage.
 */
export const THROTTLED: RetryPolicy = {
  on: [...LAMBDA_THROTTLED, ...OVERLOAD],
  intervalSeconds: 'RETRY_BASE_SECONDS',
  maxAttempts: 'THROTTLE_MAX_ATTEMPTS',
  backoffRate: 2,
  maxDelaySeconds: 'INVENTORY_PAUSE_SECONDS',
  jitter: 'FULL',
  isAnsweredAtOnce: true,
};

/** With a counter of its own: an outage of Inventory uses up none of the other retries. */
export const PAUSE: RetryPolicy = {
  on: INVENTORY_AWAY,
  intervalSeconds: 'INVENTORY_PAUSE_SECONDS',
  maxAttempts: 6,
  backoffRate: 2,
  maxDelaySeconds: 'RETRY_MAX_DELAY_SECONDS',
  jitter: 'NONE',
};
