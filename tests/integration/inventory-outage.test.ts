import { describe, expect, test } from 'vitest';
import {
  answerWith,
  anyInventoryCall,
  type Fault,
  heal,
  httpCall,
  inject,
  loseAnswer,
  refuseConnection,
  timeOut,
} from '../support/faults.ts';
import { expectPromisesAtRest, snapshotOf } from '../support/invariants.ts';
import { chargedLate } from '../support/late.ts';
import { Scene } from '../support/scene.ts';
import { chargesOf, inventoryCall, type ReservationDocument, stockLine } from '../support/shop.ts';
import {
  abortExecution,
  asTimeGoesOn,
  eventually,
  executions,
  messagesIn,
} from '../support/stack.ts';

const scene = new Scene({ RESERVATION_TTL_SECONDS: '7200', SCHEDULE_SECONDS: '3600' });

const reserving = httpCall('PUT', '/inventory/reservation/');
const releasing = httpCall('DELETE', '/inventory/reservation/');

async function place(quantity = 2, correlationId = 'shop-1'): Promise<string> {
  const headers = { 'x-correlation-id': correlationId };
  const placed = await scene.user.place([{ productId: scene.productId, quantity }], { headers });
  expect(placed.status).toBe(202);
  return placed.order.orderId;
}

function lettersOf(queue: string, orderId: string): Record<string, unknown>[] {
  return messagesIn(scene.stack, queue).filter((message) => message['orderId'] === orderId);
}

async function owesRelease(orderId: string): Promise<boolean> {
  const { orders } = await snapshotOf(scene.stack);
  return orders.some((order) => order.orderId === orderId && order.releaseOwed !== undefined);
}

/** Lets time pass and the queue's consumer run until the stock is back. */
async function untilStockIsBack(): Promise<void> {
  await asTimeGoesOn(scene.stack, async () => {
    await scene.stack.pollQueues();
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });
}

describe('an order that waits out an outage', () => {
  test('says for what, since when and for how long; afterwards nothing of it', async () => {
    inject(scene.stack, { on: reserving, act: answerWith(503, { 'retry-after': '25' }) });
    const orderId = await place();
    expect((await scene.user.order(orderId)).waiting).toBeNull();
    const before = scene.stack.clock.now();
    const paused = await eventually(async () => {
      const order = await scene.user.order(orderId);
      expect(order.waiting).not.toBeNull();
      return order;
    });
    expect(paused.waiting).toMatchObject({ for: 'INVENTORY', retryAfterSeconds: 25 });
    expect(Date.parse(paused.waiting?.since ?? '')).toBeGreaterThanOrEqual(before - 1000);

    await scene.stack.clock.advance(10_000);
    const later = await scene.user.order(orderId);
    expect(later.waiting).toMatchObject({ since: paused.waiting?.since, retryAfterSeconds: 15 });

    await scene.stack.clock.advance(16_000);
    const second = await eventually(async () => {
      const order = await scene.user.order(orderId);
      expect(order.waiting?.retryAfterSeconds).toBeGreaterThan(15);
      return order;
    });
    expect(second.waiting?.since).toBe(paused.waiting?.since);
    // Who waits for a change was told of the outage, and is not told of each pause.
    expect(second.version).toBe(paused.version);

    heal(scene.stack);
    const reserved = await asTimeGoesOn(scene.stack, () =>
      scene.user.expectStatus(orderId, 'PENDING_PAYMENT'),
    );
    expect(reserved.waiting).toBeNull();
  });

  test('is placed with the time at which it is worth asking again', async () => {
    inject(scene.stack, { on: reserving, act: answerWith(503, { 'retry-after': '25' }) });
    const items = [{ productId: scene.productId, quantity: 1 }];
    const placed = await scene.user.place(items, { wait: 2 });
    expect(placed.status).toBe(202);
    const { waiting } = placed.order;
    expect(waiting?.retryAfterSeconds).toBeGreaterThan(15);
    expect(placed.headers.get('retry-after')).toBe(String(waiting?.retryAfterSeconds));
    heal(scene.stack);
    await asTimeGoesOn(scene.stack, () =>
      scene.user.expectStatus(placed.order.orderId, 'PENDING_PAYMENT'),
    );
  });
});

describe('an order whose reservation', () => {
  const code = (problem: string) => ({ code: problem, detail: 'Try again.' });

  test.each<[string, Fault['act']]>([
    ['times out', timeOut],
    ['finds nobody listening', refuseConnection],
    ['is answered 500', answerWith(500)],
    ['is answered 502', answerWith(502, {}, 'Bad gateway')],
    ['is answered 503 without when to come back', answerWith(503)],
    ['is answered CACHE_TIMEOUT', answerWith(503, {}, code('CACHE_TIMEOUT'))],
    ['is answered LOCK_CONTENTION', answerWith(503, {}, code('LOCK_CONTENTION'))],
    ['is made but not answered', loseAnswer],
  ])('%s a few times is tried again, and reserves once', async (_what, act) => {
    const outage = inject(scene.stack, { on: reserving, times: 3, act });
    const orderId = await place();
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));

    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'),
      {
        stepSeconds: 1,
      },
    );

    expect(outage.strikes).toBe(3);
    expect(order.history.map(({ to }) => to)).toEqual([
      'CREATED',
      'PENDING_RESERVING_STOCK',
      'PENDING_PAYMENT',
    ]);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    const reservation = (await inventoryCall(scene.stack, 'GET', orderId))
      .json as ReservationDocument;
    expect(reservation).toMatchObject({ status: 'HELD', revision: 1 });
    expect(await executions(scene.stack, orderId)).toHaveLength(1);
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });

  test('is asked to come back later is tried no sooner, and uses up no retries', async () => {
    const calledAtMs: number[] = [];
    inject(
      scene.stack,
      {
        on: reserving,
        times: 8,
        act: (proceed, effect) => {
          calledAtMs.push(scene.stack.clock.now());
          return answerWith(503, { 'retry-after': '12' })(proceed, effect);
        },
      },
      {
        on: reserving,
        act: (proceed) => {
          calledAtMs.push(scene.stack.clock.now());
          return proceed();
        },
      },
    );
    const orderId = await place();
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
    expect(calledAtMs).toHaveLength(9);
    for (const [index, atMs] of calledAtMs.entries()) {
      const beforeMs = calledAtMs[index - 1];
      if (beforeMs !== undefined) expect(atMs - beforeMs).toBeGreaterThanOrEqual(12_000);
    }
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    expect(lettersOf('SagaDeadLetterQueue', orderId)).toEqual([]);
  });

  test('is asked to come back by a date is tried after it', async () => {
    const date = new Date(scene.stack.clock.now() + 30_000);
    const outage = inject(scene.stack, {
      on: reserving,
      times: 1,
      act: answerWith(503, { 'retry-after': date.toUTCString() }),
    });
    const orderId = await place();
    await eventually(() => {
      expect(outage.strikes).toBe(1);
    });
    await scene.stack.clock.advance(20_000);
    await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');
    await scene.stack.clock.advance(20_000);
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
  });

  test('is put off for longer than the budget fails, with a dead letter', async () => {
    inject(scene.stack, { on: reserving, act: answerWith(503, { 'retry-after': '25' }) });
    const orderId = await place(2, 'shop-budget');

    const order = await asTimeGoesOn(scene.stack, () =>
      scene.user.expectStatus(orderId, 'ORDER_FAILED'),
    );

    expect(order.reason).toBe('INVENTORY_UNAVAILABLE');
    await eventually(() => {
      expect(lettersOf('SagaDeadLetterQueue', orderId)).toEqual([
        {
          orderId,
          run: 1,
          correlationId: 'shop-budget',
          step: 'reserve-stock',
          error: 'InventoryOutageBudgetSpent',
          at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        },
      ]);
    });
    await untilStockIsBack();
    await eventually(async () => {
      expect(await owesRelease(orderId)).toBe(false);
    });
  });

  test('fails until the budget is spent fails, leaves a dead letter, and gives back what it did take', async () => {
    const outage = inject(scene.stack, { on: reserving, act: loseAnswer });
    const orderId = await place(3, 'shop-exhausted');

    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'ORDER_FAILED'), {
      stepSeconds: 2,
    });

    expect(outage.strikes).toBeGreaterThan(6);
    await eventually(() => {
      expect(lettersOf('SagaDeadLetterQueue', orderId)).toEqual([
        {
          orderId,
          run: 1,
          correlationId: 'shop-exhausted',
          step: 'reserve-stock',
          error: 'InventoryOutageBudgetSpent',
          at: expect.any(String),
        },
      ]);
    });
    await untilStockIsBack();
    expect((await inventoryCall(scene.stack, 'GET', orderId)).json).toMatchObject({
      status: 'RELEASED',
      revision: 1,
    });
    await eventually(async () => {
      expect(await owesRelease(orderId)).toBe(false);
    });
  });
});

test('a run aborted after a reservation nobody heard of is followed by one that finds it', async () => {
  inject(scene.stack, { on: reserving, act: loseAnswer });
  const orderId = await place();
  await eventually(async () => {
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
  });
  await abortExecution(scene.stack, orderId);
  heal(scene.stack);

  await asTimeGoesOn(scene.stack, async () => {
    await scene.stack.runSchedules();
    await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
  });

  expect((await executions(scene.stack, orderId)).map(({ status }) => status)).toEqual([
    'ABORTED',
    'RUNNING',
  ]);
  expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
  expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
});

test('an order accepted with a key that failed later runs again by the same request', async () => {
  inject(scene.stack, { on: reserving, act: loseAnswer });
  const items = [{ productId: scene.productId, quantity: 2 }];
  const accepted = await scene.user.place(items, { key: 'k1' });
  expect(accepted.status).toBe(202);
  const { orderId } = accepted.order;
  await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'ORDER_FAILED'));
  await untilStockIsBack();
  heal(scene.stack);

  const again = await scene.user.place(items, { key: 'k1', wait: 10 });

  expect(again.summary, again.text).toBe('201 PENDING_PAYMENT');
  expect(again.order.orderId).toBe(orderId);
  expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
});

describe('a compensation that', () => {
  /** An order that failed and still holds stock, while Inventory is unreachable. */
  async function failedOrderDuringOutage(): Promise<string> {
    inject(
      scene.stack,
      { on: reserving, times: 1, act: loseAnswer },
      { on: anyInventoryCall, act: refuseConnection },
    );
    const orderId = await place(4, 'shop-compensation');
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'ORDER_FAILED'));
    expect(await stockLine(scene.stack, scene.productId)).toBe('6/4/0');
    return orderId;
  }

  test('uses up the saga’s retries is finished by the queue once Inventory is back', async () => {
    const orderId = await failedOrderDuringOutage();
    await asTimeGoesOn(scene.stack, async () => {
      const [execution] = await executions(scene.stack, orderId);
      expect(execution?.status).toBe('SUCCEEDED');
      await eventually(() => {
        expect(lettersOf('CompensationQueue', orderId)).toHaveLength(1);
      });
    });
    expect(lettersOf('CompensationQueue', orderId)).toEqual([
      { orderId, run: 1, correlationId: 'shop-compensation' },
    ]);
    expect(await owesRelease(orderId)).toBe(true);

    heal(scene.stack);
    await untilStockIsBack();

    await eventually(async () => {
      expect(await owesRelease(orderId)).toBe(false);
    });
    await scene.user.expectStatus(orderId, 'ORDER_FAILED');
    expect(lettersOf('CompensationDeadLetterQueue', orderId)).toEqual([]);
  });

  test('even its queue cannot finish ends in the dead-letter queue and stays owed', async () => {
    const orderId = await failedOrderDuringOutage();
    await asTimeGoesOn(
      scene.stack,
      async () => {
        await scene.stack.pollQueues();
        expect(lettersOf('CompensationDeadLetterQueue', orderId)).toHaveLength(1);
      },
      { stepSeconds: 60, limitSeconds: 3000 },
    );
    const request = { orderId, run: 1, correlationId: 'shop-compensation' };
    expect(lettersOf('CompensationDeadLetterQueue', orderId)).toEqual([
      {
        ...request,
        step: 'retry-compensation',
        error: 'InventoryUnavailable',
        at: expect.any(String),
        body: JSON.stringify(request),
      },
    ]);
    expect(await owesRelease(orderId)).toBe(true);
    expect(await stockLine(scene.stack, scene.productId)).toBe('6/4/0');

    heal(scene.stack);
    await scene.stack.runSchedules();
    await untilStockIsBack();
    await eventually(async () => {
      expect(await owesRelease(orderId)).toBe(false);
    });
  });

  test('follows a declined payment fails the order first and gives the stock back later', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, { on: releasing, act: refuseConnection });
    await scene.user.pay(orderId, 'tok_declined');

    const order = await asTimeGoesOn(scene.stack, () =>
      scene.user.expectStatus(orderId, 'PAYMENT_FAILED'),
    );

    expect(order.reason).toBe('DECLINED');
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    heal(scene.stack);
    await untilStockIsBack();
    await eventually(async () => {
      expect(await owesRelease(orderId)).toBe(false);
    });
  });

  test('did its work without being answered is repeated without harm', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const lost = inject(scene.stack, { on: releasing, times: 3, act: loseAnswer });
    await scene.user.pay(orderId, 'tok_declined');
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'), {
      stepSeconds: 1,
    });
    expect(lost.strikes).toBe(3);
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });
});

describe('an outage during a payment', () => {
  test('before a late charge ends it without charging, and gives everything back', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(scene.stack, chargedLate(orderId), {
      on: httpCall('POST', '/extend$'),
      act: refuseConnection,
    });
    await scene.user.pay(orderId, 'tok_ok');
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'), {
      stepSeconds: 15,
    });
    expect(await chargesOf(scene.stack, orderId)).toEqual([]);
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });

  test('after the charge, longer than all retries, is confirmed by a later run', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(scene.stack, { on: httpCall('POST', '/confirm$'), act: refuseConnection });
    await scene.user.pay(orderId, 'tok_ok');
    await asTimeGoesOn(scene.stack, () => {
      expect(lettersOf('SagaDeadLetterQueue', orderId)).toEqual([
        expect.objectContaining({
          orderId,
          run: 1,
          step: 'confirm-order',
          error: 'InventoryUnavailable',
        }),
      ]);
      return Promise.resolve();
    });
    await scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS');

    heal(scene.stack);
    await asTimeGoesOn(
      scene.stack,
      async () => {
        await scene.stack.runSchedules();
        await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
      },
      { stepSeconds: 15 },
    );

    expect((await executions(scene.stack, orderId)).map(({ status }) => status)[0]).toBe('FAILED');
    expect((await chargesOf(scene.stack, orderId)).map(({ status }) => status)).toEqual([
      'CAPTURED',
    ]);
    expect((await scene.user.order(orderId)).refunds).toEqual([]);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });

  test('whose confirmation is done but not answered is paid once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const lost = inject(scene.stack, {
      on: httpCall('POST', '/confirm$'),
      times: 2,
      act: loseAnswer,
    });
    await scene.user.pay(orderId, 'tok_ok');
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_DONE'), {
      stepSeconds: 1,
    });
    expect(lost.strikes).toBe(2);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
