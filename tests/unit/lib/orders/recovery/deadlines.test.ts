import { describe, expect, test } from 'vitest';
import { deadlinesOf, nextRunMs } from '../../../../../lib/orders/recovery/deadlines.ts';
import { ConfigurationError, readConfig } from '../../../../../lib/platform/config.ts';
import { SETTINGS } from '../../../../../lib/platform/settings.ts';
import { REQUIRED } from '../../platform/environment.ts';

const deadlines = deadlinesOf(readConfig(REQUIRED));

/*
 * By hand, of the default configuration, in seconds. Each step's own retries: five, after 1, 2, 4, 8 and 16 s. Twenty
 * more of what was refused at once, after 1, 2 and 4 s and every 5 s: these take no time themselves. The retries while
 * Inventory is away: six, after 5, 10, 20, 40, 60 and 60 s; those of a reservation are part of the outage budget. One
 * attempt: 2 s for each call to Inventory, 5 s for each to the gateway, and 5 s for one to AWS.
 */
const BACK_OFF = 1 + 2 + 4 + 8 + 16;
const PAUSES = 5 + 10 + 20 + 40 + 60 + 60;
const THROTTLED = 1 + 2 + 4 + 17 * 5;
const RESERVE = 6 * (2 + 5) + BACK_OFF + THROTTLED;
const CHARGE = (6 + 6) * (2 + 5 + 2 + 5) + BACK_OFF + PAUSES + THROTTLED;
const AWAIT_ACKNOWLEDGEMENT = 6 * 5 + BACK_OFF + THROTTLED + 180;
const SETTLE = 6 * (5 + 5 + 2 + 5) + BACK_OFF + THROTTLED;
const CONFIRM = (6 + 6) * (2 + 5) + BACK_OFF + PAUSES + THROTTLED;
const COMPENSATE = (6 + 6) * (2 + 5 + 5 + 5) + BACK_OFF + PAUSES + THROTTLED;
/** A step that calls neither service: GiveUpPayment, each dead letter. */
const PLAIN = 6 * 5 + BACK_OFF + THROTTLED;

test('the durations by hand are these', () => {
  expect({ BACK_OFF, PAUSES, RESERVE, CHARGE, SETTLE, CONFIRM, COMPENSATE, PLAIN }).toEqual({
    BACK_OFF: 31,
    PAUSES: 195,
    RESERVE: 165,
    CHARGE: 486,
    SETTLE: 225,
    CONFIRM: 402,
    COMPENSATE: 522,
    PLAIN: 153,
  });
});

/**
 * TakePayment, ChargeExhausted, AwaitAcknowledgement, AcknowledgementExhausted, SettlePayment, once
 * more awaited and settled because it was woken too early, GiveUpPayment, ConfirmOrder: the longest
 * way from the extension of the hold to the sale.
 */
const UNTIL_SOLD =
  CHARGE +
  PLAIN +
  AWAIT_ACKNOWLEDGEMENT +
  PLAIN +
  SETTLE +
  (AWAIT_ACKNOWLEDGEMENT + SETTLE) +
  PLAIN +
  CONFIRM;
/** The dead letter of a confirmation that failed comes last. */
const PAYING = UNTIL_SOLD + PLAIN;

describe('the deadlines of the default configuration', () => {
  test('give a handler thirty seconds to do at once what it wrote', () => {
    expect(deadlines.dispatchMs).toBe(30_000);
  });

  test('let the reservation use up all retries, a whole outage, a pause, and all retries again', () => {
    const worstSeconds = RESERVE + 120 + 5 + RESERVE;
    expect(worstSeconds).toBe(455);
    expect(deadlines.reservingMs).toBe((worstSeconds + 30) * 1000);
  });

  test('hold the stock from the extension past everything that may follow it', () => {
    expect(UNTIL_SOLD).toBe(2463);
    expect(PAYING).toBe(2616);
    expect(deadlines.payingMs).toBe((PAYING + 30) * 1000);
  });

  test('hold it through a run that fails at the last moment, its discovery, and its successor', () => {
    // Twice: the order is due a grace after its deadline, and the dispatcher looks once a minute.
    const discovery = 2 * (30 + 60);
    const successor = RESERVE + PAYING;
    expect(PAYING + 30 + discovery + successor).toBe(5607);
    expect(deadlines.holdMs).toBe(5_607_000);
  });

  test('keep it for a payment that begins at the last moment, and whose signal is lost', () => {
    const handler = 30;
    expect(deadlines.allowanceMs).toBe((handler + 30 + 60) * 1000 + deadlines.holdMs);
    // Inventory answers within two seconds.
    expect(deadlines.holdSeconds).toBe(900 + 5727 + 2);
  });

  test('tell the compensation queue again only after two rounds of all retries', () => {
    expect(2 * COMPENSATE).toBe(1044);
    // Longer than the queue's own growing delays.
    expect(deadlines.obligationMs).toBe(1_044_000);
  });
});

describe('the deadlines of another configuration', () => {
  test('stop doubling the back-off at a minute, as the state machine does', () => {
    const retry = { RETRY_MAX_ATTEMPTS: '8', RETRY_BASE_SECONDS: '10' };
    const { reservingMs } = deadlinesOf(readConfig({ ...REQUIRED, ...retry }));
    const backOff = 10 + 20 + 40 + 60 + 60 + 60 + 60 + 60;
    const throttled = 20 * 5;
    expect(reservingMs).toBe((2 * (9 * (2 + 5) + backOff + throttled) + 120 + 5 + 30) * 1000);
  });

  test.each([
    // Woken too early, the acknowledgement is awaited with its whole time-out once more.
    ['PAYMENT_ACK_TIMEOUT_SECONDS', 'payingMs', 200_000],
    ['INVENTORY_OUTAGE_BUDGET_SECONDS', 'reservingMs', 100_000],
  ] as const)('grow with %s second by second', (name, deadline, growthMs) => {
    const at = (seconds: number) =>
      deadlinesOf(readConfig({ ...REQUIRED, [name]: String(seconds) }))[deadline];
    expect(at(500) - at(400)).toBe(growthMs);
  });

  test('of a demonstration in seconds are seconds but for the retries of an outage', () => {
    const fast = {
      RETRY_MAX_ATTEMPTS: '1',
      THROTTLE_MAX_ATTEMPTS: '1',
      DISPATCH_AFTER_SECONDS: '1',
      PAYMENT_ACK_TIMEOUT_SECONDS: '2',
      INVENTORY_OUTAGE_BUDGET_SECONDS: '1',
      INVENTORY_TIMEOUT_MS: '200',
      GATEWAY_TIMEOUT_MS: '500',
    };
    const { dispatchMs, reservingMs } = deadlinesOf(readConfig({ ...REQUIRED, ...fast }));
    expect(dispatchMs).toBe(1000);
    expect(reservingMs).toBeLessThan(35_000);
  });

  test('with every number at its maximum are numbers still', () => {
    const maxima = Object.fromEntries(
      Object.entries(SETTINGS).flatMap(([name, setting]) =>
        'max' in setting ? [[name, String(setting.max)]] : [],
      ),
    );
    // With the longest time-out of the gateway's calls, Inventory's is the longest that fits.
    const fitting = { ...maxima, INVENTORY_TIMEOUT_MS: '3000' };
    const largest = deadlinesOf(readConfig({ ...REQUIRED, ...fitting }));
    const aWeekMs = 7 * 86_400_000;
    expect(Math.max(...Object.values<number>({ ...largest }))).toBeLessThan(aWeekMs);
  });
});

describe('a hold that Inventory would not give', () => {
  test.each([
    { MAX_HOLD_SECONDS: '6628' },
    { RESERVATION_TTL_SECONDS: '86400' },
    { PAYMENT_ACK_TIMEOUT_SECONDS: '86400' },
  ])('is refused by name: %o', (settings) => {
    const config = readConfig({ ...REQUIRED, ...settings });
    expect(() => deadlinesOf(config)).toThrow(ConfigurationError);
    expect(() => deadlinesOf(config)).toThrow(/MAX_HOLD_SECONDS is \d+: .* need \d+; raise it/);
  });

  test('is enough to the second', () => {
    expect(deadlinesOf(readConfig({ ...REQUIRED, MAX_HOLD_SECONDS: '6629' }))).toEqual(deadlines);
  });
});

describe('time-outs that do not fit into a function of twenty seconds', () => {
  const calls = (inventoryMs: number, gatewayMs: number) =>
    readConfig({
      ...REQUIRED,
      INVENTORY_TIMEOUT_MS: String(inventoryMs),
      GATEWAY_TIMEOUT_MS: String(gatewayMs),
    });

  test.each([
    [3001, 6000],
    [5000, 5001],
  ])('are refused by name: Inventory %i ms, gateway %i ms', (inventoryMs, gatewayMs) => {
    const refused = () => deadlinesOf(calls(inventoryMs, gatewayMs));
    expect(refused).toThrow(ConfigurationError);
    expect(refused).toThrow(/may take \d+ ms .* lower INVENTORY_TIMEOUT_MS or GATEWAY_TIMEOUT_MS/);
  });

  test.each([
    [3000, 6000],
    [5000, 5000],
  ])('are taken if they just fit: Inventory %i ms, gateway %i ms', (inventoryMs, gatewayMs) => {
    expect(() => deadlinesOf(calls(inventoryMs, gatewayMs))).not.toThrow();
  });
});

describe('the tolerance for two clocks', () => {
  test.each([
    [1, 100],
    [5, 500],
    [20, 2000],
    [180, 2000],
    [900, 2000],
  ])('of a timer of %i s is %i ms: a tenth, at most two seconds', (seconds, skewMs) => {
    const config = readConfig({ ...REQUIRED });
    const reserved = deadlinesOf({ ...config, RESERVATION_TTL_SECONDS: seconds });
    expect(reserved.reservationSkewMs).toBe(skewMs);
    const charged = deadlinesOf({ ...config, PAYMENT_ACK_TIMEOUT_SECONDS: seconds });
    expect(charged.acknowledgementSkewMs).toBe(skewMs);
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
