import { describe, expect, test } from 'vitest';
import {
  anyGatewayCall,
  anyInventoryCall,
  databaseCall,
  dieAfter,
  dieBefore,
  type Fault,
  heal,
  held,
  httpCall,
  inject,
  loseAnswer,
  refuseConnection,
  stateMachineCall,
} from '../support/faults.ts';
import { expectPromisesAtRest, ordersOf, storedOrder } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import {
  type Answer,
  Customer,
  changeProduct,
  chargesOf,
  inventoryCall,
  type OrderDocument,
  stockLine,
} from '../support/shop.ts';
import { asTimeGoesOn, eventually, executions } from '../support/stack.ts';

const DISPATCH_AFTER_MS = 30_000;
/** An interrupted request frees its idempotency key after its function's time-out. */
const LAMBDA_TIMEOUT_MS = 20_000;

// The schedule never runs by itself; the tests run its functions.
const scene = new Scene({ RESERVATION_TTL_SECONDS: '600', SCHEDULE_SECONDS: '3600' });

const reserving = httpCall('PUT', '/inventory/reservation/');
const releasing = httpCall('DELETE', '/inventory/reservation/');
const starting = stateMachineCall('StartExecution');

const items = (quantity = 2) => [{ productId: scene.productId, quantity }];

function replayed(answer: Answer): boolean {
  return answer.headers.get('idempotent-replayed') === 'true';
}

async function chargeStatuses(orderId: string): Promise<string[]> {
  return (await chargesOf(scene.stack, orderId)).map(({ status }) => status);
}

/** Cancels, and checks the whole response and the order. */
async function cancelled(orderId: string): Promise<OrderDocument> {
  const before = await scene.user.order(orderId);
  expect(before.links).toHaveProperty('cancel');
  const answer = await scene.user.cancel(orderId);
  expect(answer.summary, answer.text).toBe('200 ORDER_CANCELLED');
  const { order } = answer;
  expect(answer.headers.get('etag')).toBe(`"${String(order.version)}"`);
  expect(order).toMatchObject({
    reason: 'USER_CANCELLED',
    paymentUrl: null,
    reservationExpiresAt: null,
    items: before.items,
    total: before.total,
  });
  expect(order.history.slice(0, -1)).toEqual(before.history);
  expect(order.history.at(-1)).toMatchObject({
    from: before.status,
    to: 'ORDER_CANCELLED',
    reason: 'USER_CANCELLED',
    by: 'user',
  });
  expect(Object.keys(order.links)).toEqual(
    order.paymentId === null ? ['self'] : ['self', 'payment'],
  );
  return order;
}

/** Checks that nothing is reserved or owed, and that no later reservation can succeed. */
async function expectReleased(orderId: string, stock = '10/0/0'): Promise<void> {
  expect(await stockLine(scene.stack, scene.productId)).toBe(stock);
  const { status, revision, releaseOwed } = await storedOrder(scene.stack, orderId);
  expect([status, releaseOwed]).toEqual(['ORDER_CANCELLED', undefined]);
  expect((await inventoryCall(scene.stack, 'GET', orderId)).json).toMatchObject({
    status: 'RELEASED',
    revision,
  });
}

/** Lets time pass until the stock is back. */
function releasedInTime(orderId: string): Promise<void> {
  return scene.inTime(() => expectReleased(orderId));
}

async function paymentFailed(): Promise<string> {
  const { orderId } = await scene.user.reserved(scene.productId, 2);
  expect((await scene.user.pay(orderId, 'tok_declined', { wait: 10 })).status).toBe(402);
  return orderId;
}

/** An order whose payment was given up while the gateway was unreachable. */
async function unconfirmed(charge: Fault['act']): Promise<string> {
  const { orderId } = await scene.user.reserved(scene.productId, 2);
  inject(
    scene.stack,
    { on: httpCall('POST', '/gateway/charges$'), times: 1, act: charge },
    { on: anyGatewayCall, act: refuseConnection },
  );
  await scene.user.pay(orderId, 'tok_ok');
  const order = await asTimeGoesOn(
    scene.stack,
    () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'),
    {
      stepSeconds: 15,
    },
  );
  expect(order.reason).toBe('PAYMENT_UNCONFIRMED');
  return orderId;
}

describe('cancelling an order that is', () => {
  test('CREATED, its saga never started, reserves nothing for ever', async () => {
    inject(scene.stack, { on: starting, act: refuseConnection });
    const { orderId } = (await scene.user.place(items())).order;
    await scene.user.expectStatus(orderId, 'CREATED');

    await cancelled(orderId);

    heal(scene.stack);
    await scene.stack.runSchedules();
    await releasedInTime(orderId);
    expect(await executions(scene.stack, orderId)).toEqual([]);
  });

  test('CREATED, its saga just being started, reserves nothing', async () => {
    const start = held();
    const call = inject(scene.stack, { on: starting, times: 1, act: start.act });
    const placing = scene.user.place(items());
    await eventually(() => {
      expect(call.strikes).toBe(1);
    });
    const [{ orderId } = { orderId: '' }] = await ordersOf(scene.stack, scene.user.userId);

    await cancelled(orderId);
    start.letGo();

    expect((await placing).summary).toBe('202 CREATED');
    await eventually(async () => {
      const [execution] = await executions(scene.stack, orderId);
      expect(execution?.status).toBe('SUCCEEDED');
      await expectReleased(orderId);
    });
    expect((await scene.user.order(orderId)).history.map(({ to }) => to)).toEqual([
      'CREATED',
      'ORDER_CANCELLED',
    ]);
  });

  test('PENDING_RESERVING_STOCK gives back what is reserved a moment later', async () => {
    const inventory = held();
    const call = inject(scene.stack, { on: reserving, act: inventory.act });
    const { orderId } = (await scene.user.place(items())).order;
    await eventually(() => {
      expect(call.strikes).toBe(1);
    });
    await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');

    await cancelled(orderId);
    inventory.letGo();

    await eventually(() => expectReleased(orderId));
    expect((await scene.user.order(orderId)).status).toBe('ORDER_CANCELLED');
  });

  test('PENDING_RESERVING_STOCK gives back what is reserved without an answer', async () => {
    inject(scene.stack, { on: reserving, act: loseAnswer });
    const { orderId } = (await scene.user.place(items())).order;
    await eventually(async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    });
    await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');

    await cancelled(orderId);

    await asTimeGoesOn(scene.stack, () => expectReleased(orderId), { stepSeconds: 1 });
  });

  test('PENDING_RESERVING_STOCK lets no reservation through that arrives later', async () => {
    inject(scene.stack, { on: reserving, act: refuseConnection });
    const { orderId } = (await scene.user.place(items())).order;
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));
    await cancelled(orderId);
    await asTimeGoesOn(scene.stack, () => expectReleased(orderId), { stepSeconds: 1 });

    const late = await inventoryCall(scene.stack, 'PUT', orderId, {
      revision: 1,
      holdSeconds: 900,
      items: items(),
    });

    expect(late.summary).toBe('410 RESERVATION_GONE');
    await expectReleased(orderId);
  });

  test('PENDING_RESERVING_STOCK for other items gives back old and new', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const inventory = held();
    const call = inject(scene.stack, { on: reserving, act: inventory.act });
    await scene.user.modify(orderId, items(5));
    await eventually(() => {
      expect(call.strikes).toBe(1);
    });

    const order = await cancelled(orderId);
    inventory.letGo();

    expect(order.modification).toEqual({ status: 'REJECTED', code: 'ORDER_CANCELLED' });
    await eventually(() => expectReleased(orderId));
  });

  test('PENDING_RESERVING_STOCK for a retried payment fails that payment, uncharged', async () => {
    const orderId = await paymentFailed();
    const inventory = held();
    const call = inject(scene.stack, { on: reserving, act: inventory.act });
    const { paymentId } = (await scene.user.retryPayment(orderId, 'tok_ok')).payment;
    await eventually(() => {
      expect(call.strikes).toBe(1);
    });

    await cancelled(orderId);
    inventory.letGo();

    expect(await scene.user.payment(paymentId)).toMatchObject({
      status: 'FAILED',
      code: 'ORDER_CANCELLED',
      attempt: 2,
    });
    await eventually(() => expectReleased(orderId));
    await eventually(async () => {
      const last = (await executions(scene.stack, orderId)).at(-1);
      expect(last?.status).toBe('SUCCEEDED');
    });
    expect(await chargeStatuses(orderId)).toEqual(['DECLINED']);
    expect(await scene.user.payment(paymentId)).toMatchObject({ status: 'FAILED' });
  });

  test('PENDING_PAYMENT gives its stock back', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    await cancelled(orderId);
    await eventually(() => expectReleased(orderId));
  });

  test('PAYMENT_FAILED ends it', async () => {
    const orderId = await paymentFailed();
    await cancelled(orderId);
    await expectReleased(orderId);
  });

  test('PAYMENT_FAILED, its stock still to be given back, gives it back', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, { on: releasing, act: refuseConnection });
    await scene.user.pay(orderId, 'tok_declined');
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
    await cancelled(orderId);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    heal(scene.stack);
    await releasedInTime(orderId);
  });

  test('PAYMENT_FAILED, its void still owed, is voided all the same', async () => {
    const orderId = await unconfirmed(refuseConnection);
    const { paymentId } = await cancelled(orderId);
    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.runSchedules();
      await scene.stack.pollQueues();
      expect(await scene.user.payment(paymentId ?? '')).toMatchObject({
        status: 'VOIDED',
        code: 'PAYMENT_UNCONFIRMED',
      });
    });
    expect(await chargeStatuses(orderId)).toEqual([]);
  });

  test('PAYMENT_FAILED, though its money was taken, gives the money back once', async () => {
    const orderId = await unconfirmed(loseAnswer);
    const { paymentId } = await cancelled(orderId);
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.runSchedules();
      await scene.stack.pollQueues();
      expect((await scene.user.payment(paymentId ?? '')).status).toBe('REFUNDED');
    });
    expect(await chargeStatuses(orderId)).toEqual(['REFUNDED']);
    expect(await scene.user.order(orderId)).toMatchObject({
      status: 'ORDER_CANCELLED',
      refunds: [{ paymentId, amount: { amount: 2000, currency: 'EUR' } }],
    });
  });

  test('ORDER_FAILED ends it', async () => {
    await changeProduct(scene.stack, scene.productId, { active: false });
    const { orderId = '' } = (await scene.user.place(items(), { wait: 10 })).problem;
    await scene.user.expectStatus(orderId, 'ORDER_FAILED');
    await cancelled(orderId);
    await eventually(() => expectReleased(orderId));
  });

  test('ORDER_FAILED, its stock still to be given back, gives it back', async () => {
    inject(
      scene.stack,
      { on: reserving, times: 1, act: loseAnswer },
      { on: anyInventoryCall, act: refuseConnection },
    );
    const { orderId } = (await scene.user.place(items())).order;
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'ORDER_FAILED'), {
      stepSeconds: 2,
    });
    await cancelled(orderId);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    heal(scene.stack);
    await releasedInTime(orderId);
  });
});

describe('cancelling again', () => {
  test('is harmless', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const { history } = await cancelled(orderId);
    const again = await scene.user.cancel(orderId);
    expect(again.summary).toBe('200 ORDER_CANCELLED');
    expect(again.order.history).toEqual(history);
    await eventually(() => expectReleased(orderId));
    const atLast = await scene.user.cancel(orderId);
    expect(atLast.order).toEqual(await scene.user.order(orderId));
    expect(atLast.order.history).toEqual(history);
  });

  test('ten times at once cancels once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const answers = await Promise.all(Array.from({ length: 10 }, () => scene.user.cancel(orderId)));
    expect(new Set(answers.map(({ summary }) => summary))).toEqual(
      new Set(['200 ORDER_CANCELLED']),
    );
    const { history } = await scene.user.order(orderId);
    expect(history.filter(({ to }) => to === 'ORDER_CANCELLED')).toHaveLength(1);
    await eventually(() => expectReleased(orderId));
  });

  test('with the same Idempotency-Key replays the first answer', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const first = await scene.user.cancel(orderId, { key: 'c1' });
    expect([first.summary, replayed(first)]).toEqual(['200 ORDER_CANCELLED', false]);
    await eventually(() => expectReleased(orderId));
    const again = await scene.user.cancel(orderId, { key: 'c1' });
    expect([again.text, replayed(again)]).toEqual([first.text, true]);
  });

  test('another order with the same Idempotency-Key is refused', async () => {
    const first = await scene.user.reserved(scene.productId, 2);
    const second = await scene.user.reserved(scene.productId, 3);
    await scene.user.cancel(first.orderId, { key: 'c1' });
    expect((await scene.user.cancel(second.orderId, { key: 'c1' })).summary).toBe(
      '422 IDEMPOTENCY_CONFLICT',
    );
    expect(await scene.user.order(second.orderId)).toEqual(second);
  });
});

describe('cancelling is refused in', () => {
  async function refusedIn(orderId: string, status: string): Promise<Answer> {
    const before = await scene.user.expectStatus(orderId, status);
    expect(before.links).not.toHaveProperty('cancel');
    const answer = await scene.user.cancel(orderId);
    expect(answer.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(answer.problem).toMatchObject({ orderId, orderStatus: status });
    expect((await scene.user.order(orderId)).history).toEqual(before.history);
    return answer;
  }

  test('PAYMENT_IN_PROGRESS, until the payment has failed', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const { paymentId } = (await scene.user.pay(orderId, 'tok_never_captured')).payment;
    await eventually(async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('PENDING');
    });
    const answer = await refusedIn(orderId, 'PAYMENT_IN_PROGRESS');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');

    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
    // The refusal was temporary, so the retry succeeds.
    await cancelled(orderId);
    await expectReleased(orderId);
    expect(await chargeStatuses(orderId)).toEqual(['VOIDED']);
  });

  test('PAYMENT_IN_PROGRESS while a change of it is asked for', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const gateway = held();
    const asked = inject(scene.stack, { on: anyGatewayCall, act: gateway.act });
    await scene.user.pay(orderId, 'tok_ok');
    await eventually(() => {
      expect(asked.strikes).toBe(1);
    });
    await scene.user.modify(orderId, items(3));
    await refusedIn(orderId, 'PAYMENT_IN_PROGRESS');
    gateway.letGo();
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
  });

  test('PAYMENT_DONE', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
    await refusedIn(orderId, 'PAYMENT_DONE');
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/0/2');
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
  });

  test.each([
    ['OUT_OF_STOCK', 11],
    ['BAD_QUANTITY', 0],
  ])('INVALID (%s)', async (code, quantity) => {
    const answer = await scene.user.place(items(quantity), { wait: 10 });
    expect(answer.summary).toBe(`422 ${code}`);
    await refusedIn(answer.problem.orderId ?? '', 'INVALID');
  });
});

describe('a process that cancels and dies', () => {
  /** Nobody signals the waiting saga, so it ends when its hold does. */
  function sagaEnded(orderId: string): Promise<void> {
    return asTimeGoesOn(
      scene.stack,
      async () => {
        const [execution] = await executions(scene.stack, orderId);
        expect(execution?.status).toBe('SUCCEEDED');
      },
      { stepSeconds: 30 },
    );
  }

  test('after its write has cancelled, and the dispatcher gives the stock back', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, { on: databaseCall('PutItem', 'orders'), times: 1, act: dieAfter });
    expect((await scene.user.cancel(orderId, { key: 'c1' })).status).toBe(502);
    await scene.user.expectStatus(orderId, 'ORDER_CANCELLED');
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    await scene.stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);
    const again = await scene.user.cancel(orderId, { key: 'c1' });
    expect([again.summary, replayed(again)]).toEqual(['200 ORDER_CANCELLED', false]);

    await scene.stack.clock.advance(DISPATCH_AFTER_MS);
    await scene.stack.runSchedules();

    await releasedInTime(orderId);
    await sagaEnded(orderId);
    await expectReleased(orderId);
  });

  test('before its write has done nothing', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, { on: databaseCall('PutItem', 'orders'), times: 1, act: dieBefore });
    expect((await scene.user.cancel(orderId, { key: 'c1' })).status).toBe(502);
    await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    await scene.stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);
    expect((await scene.user.cancel(orderId, { key: 'c1' })).summary).toBe('200 ORDER_CANCELLED');
    await eventually(() => expectReleased(orderId));
  });

  test('before the saga heard of it has cancelled all the same', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, {
      on: stateMachineCall('SendTaskSuccess'),
      times: 1,
      act: refuseConnection,
    });
    await cancelled(orderId);
    await releasedInTime(orderId);
    await sagaEnded(orderId);
    await expectReleased(orderId);
  });

  test('after its write, a retried payment reserving, leaves no payment open', async () => {
    const orderId = await paymentFailed();
    const inventory = held();
    inject(scene.stack, { on: reserving, act: inventory.act });
    const { paymentId } = (await scene.user.retryPayment(orderId, 'tok_ok')).payment;
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));
    inject(
      scene.stack,
      { on: databaseCall('PutItem', 'orders'), times: 1, act: dieAfter },
      { on: reserving, act: inventory.act },
    );
    expect((await scene.user.cancel(orderId)).status).toBe(502);
    inventory.letGo();
    expect((await scene.user.payment(paymentId)).status).toBe('FAILED');
    await eventually(() => expectReleased(orderId));
    expect(await chargeStatuses(orderId)).toEqual(['DECLINED']);
  });
});

test('a cancellation during an outage of Inventory is finished when that is over', async () => {
  const { orderId } = await scene.user.reserved(scene.productId, 2);
  inject(scene.stack, { on: anyInventoryCall, act: refuseConnection });
  await cancelled(orderId);
  await asTimeGoesOn(scene.stack, async () => {
    const [execution] = await executions(scene.stack, orderId);
    expect(execution?.status).toBe('SUCCEEDED');
  });
  expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
  heal(scene.stack);
  await releasedInTime(orderId);
});

test('a cancelled order can be neither paid, changed nor tried again', async () => {
  const { orderId } = await scene.user.reserved(scene.productId, 2);
  await cancelled(orderId);
  await eventually(() => expectReleased(orderId));
  const before = await scene.user.order(orderId);

  const answers = [
    await scene.user.pay(orderId, 'tok_ok'),
    await scene.user.modify(orderId, items(3)),
    await scene.user.retryOrder(orderId),
    await scene.user.retryPayment(orderId, 'tok_ok'),
  ];

  for (const answer of answers) {
    expect(answer.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(answer.problem.orderId).toBe(orderId);
  }
  expect(await scene.user.order(orderId)).toEqual(before);
  expect(await chargesOf(scene.stack, orderId)).toEqual([]);
  await expectReleased(orderId);
});

test('a cancelled order is in nobody’s way', async () => {
  const first = await scene.user.reserved(scene.productId, 10);
  await cancelled(first.orderId);
  await eventually(() => expectReleased(first.orderId));
  const second = await scene.user.reserved(scene.productId, 10);
  expect(second.orderId).not.toBe(first.orderId);
  expect((await scene.user.pay(second.orderId, 'tok_ok', { wait: 10 })).summary).toBe(
    '200 CAPTURED',
  );
});

test('another user’s order does not exist', async () => {
  const before = await scene.user.reserved(scene.productId, 2);
  const stranger = await Customer.of(scene.stack);
  const theirs = await stranger.cancel(before.orderId);
  const nobodys = await stranger.cancel('ord_nowhere');
  expect([theirs.summary, nobodys.summary]).toEqual(['404 NOT_FOUND', '404 NOT_FOUND']);
  expect(theirs.problem.detail).toBe(nobodys.problem.detail);
  expect(await scene.user.order(before.orderId)).toEqual(before);
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
