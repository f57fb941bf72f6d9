import { describe, expect, test } from 'vitest';
import { sleep } from '../../lib/platform/clock.ts';
import {
  answerWith,
  httpCall,
  inject,
  injectAtInvocation,
  loseAnswer,
  refuseConnection,
  throttle,
} from '../support/faults.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import {
  chargesOf,
  inventoryCall,
  type OrderDocument,
  type ReservationDocument,
  stockLine,
} from '../support/shop.ts';
import { asTimeGoesOn, eventually, executions, runOf } from '../support/stack.ts';

const RESERVATION_MS = 900_000;
const INVENTORY_TIMEOUT_MS = 2000;

/** The schedule never runs by itself. */
const scene = new Scene({ INVENTORY_OUTAGE_BUDGET_SECONDS: '150', SCHEDULE_SECONDS: '3600' });

const reserving = httpCall('PUT', '/inventory/reservation/');

async function place(): Promise<string> {
  const placed = await scene.user.place([{ productId: scene.productId, quantity: 1 }]);
  expect(placed.status).toBe(202);
  return placed.order.orderId;
}

async function runs(orderId: string): Promise<string[]> {
  return (await executions(scene.stack, orderId)).map(
    (execution) => `${String(runOf(execution))} ${String(execution.status)}`,
  );
}

/** Lets time pass, with the schedule, until the order has this status. */
function dispatchedUntil(orderId: string, status: string): Promise<OrderDocument> {
  return scene.inTime(() => scene.user.expectStatus(orderId, status));
}

/** Time of an order's latest change. */
function changedAtMs({ history }: OrderDocument): number {
  return Date.parse(history.at(-1)?.at ?? '');
}

async function expectPaid(orderId: string): Promise<void> {
  expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
  expect((await chargesOf(scene.stack, orderId)).map(({ status }) => status)).toEqual(['CAPTURED']);
  await eventually(async () => {
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });
}

/**
 * P5, specification, section 5: an order can be paid for no longer than its stock is held, less the time that a
 * payment begun at the last moment may take.
 *
 *     step       PUT ──(answer lost)        PUT ── answered                    payable until
 *     Inventory      held for 902 s + allowance ├──────────────────────────────────────┤── allowance ──▶ end
 *     seconds    0                           150                                     902
 */
test('an order reserved again 150 s after a lost answer can be paid for what is left', async () => {
  let heldAtMs = 0;
  let askedAgainAtMs = 0;
  inject(
    scene.stack,
    {
      on: reserving,
      times: 1,
      act: (proceed, effect) =>
        loseAnswer(async () => {
          const answer = await proceed();
          heldAtMs = scene.stack.clock.now();
          return answer;
        }, effect),
    },
    { on: reserving, times: 1, act: answerWith(503, { 'retry-after': '149' }) },
    {
      on: reserving,
      act: (proceed) => {
        askedAgainAtMs = scene.stack.clock.now();
        return proceed();
      },
    },
  );
  const orderId = await place();

  const order = await asTimeGoesOn(scene.stack, () =>
    scene.user.expectStatus(orderId, 'PENDING_PAYMENT'),
  );

  expect(askedAgainAtMs - heldAtMs).toBeGreaterThanOrEqual(149_000);
  const payableUntilMs = Date.parse(order.reservationExpiresAt ?? '');
  // Of the hold, Inventory's time to answer is to spare.
  expect(payableUntilMs).toBeLessThanOrEqual(heldAtMs + RESERVATION_MS + INVENTORY_TIMEOUT_MS);
  expect(payableUntilMs).toBeGreaterThanOrEqual(heldAtMs + RESERVATION_MS - INVENTORY_TIMEOUT_MS);
  const held = await inventoryCall(scene.stack, 'GET', orderId);
  expect(held.json as ReservationDocument).toMatchObject({ status: 'HELD', revision: 1 });
  expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');
  await scene.stack.clock.advance(payableUntilMs - 10_000 - scene.stack.clock.now());
  await expectPaid(orderId);
});

/**
 * P5, specification, section 4: a step that hangs while it reserves has stored no token that could be signalled, and
 * its execution counts as running.
 *
 *     run 1       PUT refused ── retry hangs ───────────────────── wakes: superseded
 *     dispatcher                         deadline: run 2 starts
 *     run 2                                 PUT ── PENDING_PAYMENT
 */
describe('an order whose ReserveStock hangs', () => {
  async function hung() {
    const { promise: woken, resolve: wake } = Promise.withResolvers<undefined>();
    inject(scene.stack, { on: reserving, times: 1, act: refuseConnection });
    const hanging = injectAtInvocation(scene.stack, {
      on: (key, { run, retryCount }) => key === 'reserveStock' && run === 1 && retryCount === 1,
      times: 1,
      act: () => woken,
    });
    const orderId = await place();
    await asTimeGoesOn(
      scene.stack,
      () => {
        expect(hanging.strikes).toBe(1);
        return Promise.resolve();
      },
      { stepSeconds: 1 },
    );
    return {
      orderId,
      wake: () => {
        wake(undefined);
      },
    };
  }

  test('is reserved by the next run, once its deadline has passed', async () => {
    const { orderId, wake } = await hung();
    // All retries, the outage's budget, a pause and all retries again, with grace: 393 s.
    await scene.stack.clock.advance(360_000);
    await scene.stack.runSchedules();
    await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');
    expect(await runs(orderId)).toEqual(['1 RUNNING']);

    const { version } = await dispatchedUntil(orderId, 'PENDING_PAYMENT');

    expect(await runs(orderId)).toEqual(['1 RUNNING', '2 RUNNING']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');
    wake();
    await eventually(async () => {
      expect(await runs(orderId)).toEqual(['1 SUCCEEDED', '2 RUNNING']);
    });
    expect(await scene.user.expectStatus(orderId, 'PENDING_PAYMENT')).toMatchObject({ version });
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');
    await expectPaid(orderId);
    await eventually(async () => {
      expect(await runs(orderId)).toEqual(['1 SUCCEEDED', '2 SUCCEEDED']);
    });
  });

  test('and wakes up when the order is paid leaves it as it is', async () => {
    const { orderId, wake } = await hung();
    await dispatchedUntil(orderId, 'PENDING_PAYMENT');
    await expectPaid(orderId);
    const paid = await scene.user.order(orderId);
    wake();
    await eventually(async () => {
      expect(await runs(orderId)).toEqual(['1 SUCCEEDED', '2 SUCCEEDED']);
    });
    expect(await scene.user.order(orderId)).toEqual(paid);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });

  test('for good is ended by the time-out of its state, without harm', async () => {
    const { orderId, wake } = await hung();
    const { version } = await dispatchedUntil(orderId, 'PENDING_PAYMENT');
    // The wait of the second run, which began later, goes on.
    await asTimeGoesOn(scene.stack, async () => {
      expect(await runs(orderId)).toEqual(['1 SUCCEEDED', '2 RUNNING']);
    });
    expect(await scene.user.expectStatus(orderId, 'PENDING_PAYMENT')).toMatchObject({ version });
    wake();
    await expectPaid(orderId);
  });
});

/**
 * P4 and P5, specification, section 4: the order's own time decides, not the timer of its state. The invocation is
 * under way for longer than the state's time-out allows for one try, so the time-out comes before the order's time.
 *
 *     state     entered ─────────────────────────── States.Timeout ── entered again, waits
 *     step        └─ under way ── PUT ── PENDING_PAYMENT ──────────────────────── payable until
 *     seconds   0                45                 930                          945
 */
describe('an order whose wait is timed out early', () => {
  async function timedOutEarly() {
    const { invoked } = injectAtInvocation(scene.stack, {
      on: (key) => key === 'reserveStock',
      times: 1,
      act: () => sleep(scene.stack.clock, 45_000),
    });
    const placedAtMs = scene.stack.clock.now();
    const orderId = await place();
    const order = await asTimeGoesOn(scene.stack, () =>
      scene.user.expectStatus(orderId, 'PENDING_PAYMENT'),
    );
    const payableUntilMs = Date.parse(order.reservationExpiresAt ?? '');
    await scene.stack.clock.advance(placedAtMs + 925_000 - scene.stack.clock.now());
    expect(invoked).not.toContain('expireOrder');
    await asTimeGoesOn(
      scene.stack,
      () => {
        expect(invoked).toContain('expireOrder');
        return Promise.resolve();
      },
      { stepSeconds: 1, limitSeconds: 10 },
    );
    await scene.stack.clock.settle();
    expect(scene.stack.clock.now()).toBeLessThan(payableUntilMs - 5000);
    expect(await scene.user.expectStatus(orderId, 'PENDING_PAYMENT')).toEqual(order);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');
    return { orderId, payableUntilMs };
  }

  test('can still be paid', async () => {
    const { orderId } = await timedOutEarly();
    await expectPaid(orderId);
    await eventually(async () => {
      expect(await runs(orderId)).toEqual(['1 SUCCEEDED']);
    });
  });

  test('and who does not pay expires at its own time', async () => {
    const { orderId, payableUntilMs } = await timedOutEarly();
    await scene.stack.clock.advance(payableUntilMs - scene.stack.clock.now());
    await scene.stack.runSchedules();
    const order = await eventually(() => scene.user.expectStatus(orderId, 'ORDER_FAILED'));
    expect(order.reason).toBe('RESERVATION_EXPIRED');
    // By two seconds at most, for two clocks.
    expect(changedAtMs(order)).toBeGreaterThanOrEqual(payableUntilMs - 2000);
    await eventually(async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    });
  });
});

/**
 * P4, P5, specification, section 6: a throttled Lambda never ran. It is invoked again, and that uses up none of the
 * retries that its failures have: five, as those have.
 */
describe('a step that Lambda throttles', () => {
  test.each(['reserveStock', 'takePayment'])('%s: its order is paid all the same', async (step) => {
    const throttled = injectAtInvocation(scene.stack, {
      on: (key) => key === step,
      times: 4,
      act: throttle,
    });
    const away = inject(scene.stack, { on: reserving, times: 4, act: refuseConnection });
    const orderId = await place();
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
    await scene.user.pay(orderId, 'tok_ok');
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    expect(throttled.strikes).toBe(4);
    expect(away.strikes).toBe(4);
    await eventually(async () => {
      expect(await runs(orderId)).toEqual(['1 SUCCEEDED']);
    });
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
    expect(await chargesOf(scene.stack, orderId)).toHaveLength(1);
  });
});

test('at the end every promise holds', async () => {
  await scene.inTime(async () => {
    expect((await executions(scene.stack)).map(({ status }) => status)).not.toContain('RUNNING');
  });
  await expectPromisesAtRest(scene.stack);
});
