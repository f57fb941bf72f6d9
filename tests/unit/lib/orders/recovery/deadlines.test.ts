import { describe, expect, test } from 'vitest';
import {
  clockSkewMs,
  deadlinesOf,
  nextRunMs,
} from '../../../../../lib/orders/recovery/deadlines.ts';
import { readConfig } from '../../../../../lib/platform/config.ts';
import { REQUIRED } from '../../platform/environment.ts';

/** The definition's retries by default: five, after 1, 2, 4, 8 and 16 seconds. */
const TRIES = 6;
const BACK_OFF_SECONDS = 1 + 2 + 4 + 8 + 16;
/** Time-outs of one call, without the state machine's `Retry` and `Wait`. */
const INVENTORY_SECONDS = 2;
const GATEWAY_SECONDS = 5;

const deadlines = deadlinesOf(readConfig(REQUIRED));

describe('the deadlines of the default configuration', () => {
  test('give a handler thirty seconds to do at once what it wrote', () => {
    expect(deadlines.dispatchMs).toBe(30_000);
  });

  test('let the reservation use up all retries, a whole outage, and all retries again', () => {
    // A pause ends in a Wait of up to 5 s more than asked, then starts new retries.
    const worstSeconds =
      TRIES * INVENTORY_SECONDS +
      BACK_OFF_SECONDS +
      120 +
      5 +
      TRIES * INVENTORY_SECONDS +
      BACK_OFF_SECONDS;
    expect(worstSeconds).toBe(211);
    expect(deadlines.reservingMs).toBeGreaterThanOrEqual(worstSeconds * 1000);
  });

  test('hold the stock from the extension past everything that may follow it', () => {
    // Each try renews the extension, so the worst case starts at the first one that succeeded.
    const chargeAgain = BACK_OFF_SECONDS + TRIES * INVENTORY_SECONDS + TRIES * GATEWAY_SECONDS;
    const acknowledgement = 180;
    // Query, then void; each try may do both.
    const settle = BACK_OFF_SECONDS + TRIES * 2 * GATEWAY_SECONDS;
    const confirm = BACK_OFF_SECONDS + TRIES * INVENTORY_SECONDS;
    const worstSeconds = chargeAgain + acknowledgement + settle + confirm;
    expect(worstSeconds).toBe(387);
    expect(deadlines.payingMs).toBeGreaterThanOrEqual(worstSeconds * 1000);
  });

  test('hold it through a run that fails at the last moment, its discovery, and its successor', () => {
    const worstSeconds = 387;
    // The order is due a grace period after its deadline; the dispatcher runs once a minute.
    const recoverySeconds = 30 + 60;
    expect(deadlines.holdMs).toBeGreaterThan(deadlines.payingMs + recoverySeconds * 1000);
    expect(deadlines.holdMs).toBeGreaterThanOrEqual((2 * worstSeconds + recoverySeconds) * 1000);
  });

  test('tell the compensation queue again only after a round of all retries', () => {
    const round = 2 * BACK_OFF_SECONDS + TRIES * (INVENTORY_SECONDS + GATEWAY_SECONDS);
    expect(round).toBe(104);
    expect(deadlines.obligationMs).toBeGreaterThanOrEqual(round * 1000);
  });
});

describe('the deadlines of another configuration', () => {
  test('stop doubling the back-off at a minute, as the state machine does', () => {
    const retry = { RETRY_MAX_ATTEMPTS: '8', RETRY_BASE_SECONDS: '10' };
    const { reservingMs } = deadlinesOf(readConfig({ ...REQUIRED, ...retry }));
    const backOff = 10 + 20 + 40 + 60 + 60 + 60 + 60 + 60;
    expect(reservingMs).toBeGreaterThanOrEqual((2 * (backOff + 9 * 2) + 120 + 5) * 1000);
    expect(reservingMs).toBeLessThan((2 * (backOff + 60 + 9 * 2) + 120 + 60) * 1000);
  });

  test.each([
    ['PAYMENT_ACK_TIMEOUT_SECONDS', 'payingMs'],
    ['INVENTORY_OUTAGE_BUDGET_SECONDS', 'reservingMs'],
  ] as const)('grow with %s second by second', (name, deadline) => {
    const at = (seconds: number) =>
      deadlinesOf(readConfig({ ...REQUIRED, [name]: String(seconds) }))[deadline];
    expect(at(500) - at(400)).toBe(100_000);
  });

  test('of a demonstration in seconds are seconds', () => {
    const fast = {
      RETRY_MAX_ATTEMPTS: '1',
      DISPATCH_AFTER_SECONDS: '1',
      PAYMENT_ACK_TIMEOUT_SECONDS: '2',
      INVENTORY_OUTAGE_BUDGET_SECONDS: '1',
      INVENTORY_TIMEOUT_MS: '200',
      GATEWAY_TIMEOUT_MS: '500',
    };
    const { dispatchMs, payingMs } = deadlinesOf(readConfig({ ...REQUIRED, ...fast }));
    expect(dispatchMs).toBe(1000);
    expect(payingMs).toBeLessThan(15_000);
  });
});

describe('the tolerance for two clocks', () => {
  test.each([
    [1, 100],
    [5, 500],
    [20, 2000],
    [180, 2000],
    [900, 2000],
  ])('of a timer of %i s is %i ms: a tenth, at most two seconds', (timeoutSeconds, skewMs) => {
    expect(clockSkewMs(timeoutSeconds)).toBe(skewMs);
  });
});

describe('the next run of an order whose run was exhausted', () => {
  test.each([
    [1, 30],
    [2, 60],
    [3, 120],
    [4, 240],
    [7, 1920],
    [8, 3600],
    [50, 3600],
  ])('after run %i comes in %i s', (run, seconds) => {
    expect(nextRunMs(deadlines, run)).toBe(seconds * 1000);
  });
});
