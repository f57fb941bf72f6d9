import { describe, expect, test } from 'vitest';
import {
  after,
  anyGatewayCall,
  butFirst,
  databaseCall,
  dieAfter,
  type Fault,
  heal,
  held,
  httpCall,
  inject,
  loseAnswer,
  refuseConnection,
  stateMachineCall,
} from '../support/faults.ts';
import { expectPromisesAtRest, snapshotOf, storedOrder } from '../support/invariants.ts';
import { chargedLate } from '../support/late.ts';
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
import { asTimeGoesOn, eventually, messagesIn } from '../support/stack.ts';

const DISPATCH_AFTER_MS = 30_000;
/** An interrupted request frees its idempotency key after its function's time-out. */
const LAMBDA_TIMEOUT_MS = 20_000;

// The schedule never runs by itself; the tests run its functions.
const scene = new Scene({ RESERVATION_TTL_SECONDS: '600', SCHEDULE_SECONDS: '3600' });

const reserving = httpCall('PUT', '/inventory/reservation/');

const items = (quantity = 2) => [{ productId: scene.productId, quantity }];
const eur = (amount: number) => ({ amount, currency: 'EUR' });

function replayed(answer: Answer): boolean {
  return answer.headers.get('idempotent-replayed') === 'true';
}

async function charges(orderId: string): Promise<string[]> {
  return (await chargesOf(scene.stack, orderId)).map(
    ({ status, amount }) => `${status} ${String(amount.amount)}`,
  );
}

async function paymentsOf(orderId: string): Promise<string[]> {
  const { payments } = await snapshotOf(scene.stack);
  return payments.filter((one) => one.orderId === orderId).map(({ status }) => status);
}

/** An order of two units that failed because its product was withdrawn. */
async function withdrawn(): Promise<string> {
  await changeProduct(scene.stack, scene.productId, { active: false });
  const answer = await scene.user.place(items(), { wait: 10 });
  expect(answer.summary).toBe('409 PRODUCT_UNAVAILABLE');
  expect(answer.problem.reason).toBe('PRODUCT_UNAVAILABLE');
  return answer.problem.orderId ?? '';
}

/** An order of two units whose first payment was declined. */
async function declined(): Promise<OrderDocument> {
  const { orderId } = await scene.user.reserved(scene.productId, 2);
  expect((await scene.user.pay(orderId, 'tok_declined', { wait: 10 })).status).toBe(402);
  return scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
}

/** An order whose payment was given up while the gateway was unreachable, as it still is. */
async function unconfirmed(charge: Fault['act']): Promise<OrderDocument> {
  const { orderId } = await scene.user.reserved(scene.productId, 2);
  inject(
    scene.stack,
    { on: httpCall('POST', '/gateway/charges$'), times: 1, act: charge },
    { on: anyGatewayCall, act: refuseConnection },
  );
  await scene.user.pay(orderId, 'tok_ok');
  return asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'), {
    stepSeconds: 15,
  });
}

describe('retrying a payment', () => {
  test('reserves again, then charges the same total', async () => {
    const before = await declined();
    const { orderId } = before;
    expect(before.links).toHaveProperty('retryPayment');
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    await changeProduct(scene.stack, scene.productId, { unitPrice: eur(1500) });

    const answer = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });

    expect(answer.summary, answer.text).toBe('200 CAPTURED');
    const { payment } = answer;
    expect(answer.headers.get('location')).toBe(`/payment/${payment.paymentId}`);
    expect(payment).toMatchObject({ orderId, attempt: 2, amount: eur(2000), code: null });
    const order = await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
    expect(order).toMatchObject({
      paymentId: payment.paymentId,
      items: before.items,
      total: eur(2000),
    });
    expect(order.history.slice(before.history.length).map(({ to, by }) => [to, by])).toEqual([
      ['PENDING_RESERVING_STOCK', 'user'],
      ['PAYMENT_IN_PROGRESS', 'ordersaga'],
      ['PAYMENT_DONE', 'ordersaga'],
    ]);
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      run: 2,
      revision: 2,
      attempt: 2,
    });
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/0/2');
  });

  test('is answered at once where the caller does not wait', async () => {
    const { orderId } = await declined();
    const answer = await scene.user.retryPayment(orderId, 'tok_ok');
    expect(answer.summary).toBe('202 INITIATED');
    expect(answer.headers.get('location')).toBe(`/payment/${answer.payment.paymentId}`);
    expect((await scene.user.order(orderId)).paymentId).toBe(answer.payment.paymentId);
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
  });

  test('charges nothing before the stock is reserved', async () => {
    const { orderId } = await declined();
    const inventory = held();
    const call = inject(scene.stack, { on: reserving, act: inventory.act });
    const { paymentId } = (await scene.user.retryPayment(orderId, 'tok_ok')).payment;
    await eventually(() => {
      expect(call.strikes).toBe(1);
    });
    await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');
    expect((await scene.user.payment(paymentId)).status).toBe('INITIATED');
    expect(await charges(orderId)).toEqual(['DECLINED 2000']);
    inventory.letGo();
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
  });

  test.each<[string, () => Promise<unknown>]>([
    [
      'OUT_OF_STOCK',
      async () => {
        await (await Customer.of(scene.stack)).reserved(scene.productId, 9);
      },
    ],
    ['PRODUCT_UNAVAILABLE', () => changeProduct(scene.stack, scene.productId, { active: false })],
  ])('that is refused its stock as %s charges nothing', async (code, meanwhile) => {
    const { orderId } = await declined();
    await meanwhile();
    const stock = await stockLine(scene.stack, scene.productId);

    const answer = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });

    expect(answer.summary).toBe('402 PAYMENT_FAILED');
    const { paymentId = '' } = answer.problem;
    expect(answer.problem).toMatchObject({ orderId, reason: code });
    expect(await scene.user.payment(paymentId)).toMatchObject({
      status: 'FAILED',
      code,
      attempt: 2,
    });
    const order = await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(order).toMatchObject({ reason: code, paymentId, total: eur(2000) });
    await scene.inTime(async () => {
      expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
    });
    expect(await stockLine(scene.stack, scene.productId)).toBe(stock);
    expect(await charges(orderId)).toEqual(['DECLINED 2000']);
  });

  test('that was refused its stock is possible again when there is some', async () => {
    const { orderId } = await declined();
    await changeProduct(scene.stack, scene.productId, { active: false });
    expect((await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 })).status).toBe(402);
    await changeProduct(scene.stack, scene.productId, { active: true });
    const answer = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect([answer.summary, answer.payment.attempt]).toEqual(['200 CAPTURED', 3]);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
  });

  test.each<[string, Fault['act']]>([
    ['nobody listens', refuseConnection],
    ['no answer comes', loseAnswer],
  ])('while at Inventory %s charges nothing and leaves a dead letter', async (_what, act) => {
    const { orderId } = await declined();
    inject(scene.stack, { on: reserving, act });
    const { paymentId } = (await scene.user.retryPayment(orderId, 'tok_ok')).payment;

    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'),
      {
        stepSeconds: 2,
      },
    );

    expect(order.reason).toBe('INVENTORY_UNAVAILABLE');
    expect(await scene.user.payment(paymentId)).toMatchObject({
      status: 'FAILED',
      code: 'INVENTORY_UNAVAILABLE',
    });
    await eventually(() => {
      expect(messagesIn(scene.stack, 'SagaDeadLetterQueue')).toContainEqual(
        expect.objectContaining({ orderId, run: 2, step: 'reserve-stock' }),
      );
    });
    await scene.inTime(async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
      expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
    });
    expect(await charges(orderId)).toEqual(['DECLINED 2000']);
    heal(scene.stack);
    expect((await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 })).summary).toBe(
      '200 CAPTURED',
    );
  });

  test('whose reservation is lost again before a late charge charges nothing', async () => {
    const { orderId } = await declined();
    inject(scene.stack, chargedLate(orderId), {
      on: httpCall('POST', '/extend$'),
      times: 1,
      act: after(() => inventoryCall(scene.stack, 'DELETE', `${orderId}?revision=2`)),
    });
    const answer = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect(answer.summary).toBe('402 PAYMENT_FAILED');
    expect(answer.problem.reason).toBe('RESERVATION_EXPIRED');
    await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(await charges(orderId)).toEqual(['DECLINED 2000']);
  });

  test('may be declined again, and again be retried', async () => {
    const { orderId } = await declined();
    const again = await scene.user.retryPayment(orderId, 'tok_insufficient_funds', { wait: 10 });
    expect(again.summary).toBe('402 PAYMENT_DECLINED');
    expect(again.problem.reason).toBe('INSUFFICIENT_FUNDS');
    expect((await scene.user.expectStatus(orderId, 'PAYMENT_FAILED')).reason).toBe(
      'INSUFFICIENT_FUNDS',
    );
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    const last = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect([last.summary, last.payment.attempt]).toEqual(['200 CAPTURED', 3]);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'DECLINED 2000', 'CAPTURED 2000']);
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      run: 3,
      revision: 3,
      attempt: 3,
    });
  });

  test('while the retried one is open is answered with that one', async () => {
    const { orderId } = await declined();
    const gateway = held();
    inject(scene.stack, { on: anyGatewayCall, act: gateway.act });
    const first = await scene.user.retryPayment(orderId, 'tok_ok');
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS'));

    const others = [
      await scene.user.retryPayment(orderId, 'tok_ok'),
      await scene.user.retryPayment(orderId, 'tok_flaky', { key: 'p2' }),
      await scene.user.pay(orderId, 'tok_ok'),
    ];
    gateway.letGo();

    for (const other of others) {
      expect([other.status, other.payment.paymentId]).toEqual([202, first.payment.paymentId]);
    }
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    expect(await paymentsOf(orderId)).toHaveLength(2);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
  });

  test('ten times at once charges once', async () => {
    const { orderId } = await declined();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        scene.user.retryPayment(orderId, 'tok_ok', { key: `p${String(index)}`, wait: 10 }),
      ),
    );
    for (const { summary } of answers) {
      expect(['200 CAPTURED', '409 ILLEGAL_TRANSITION']).toContain(summary);
    }
    expect(answers.map(({ status }) => status)).toContain(200);
    await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
    expect(await paymentsOf(orderId)).toHaveLength(2);
  });
});

describe('while an earlier payment is not settled', () => {
  async function unsettled(order: OrderDocument): Promise<void> {
    const { orderId, paymentId } = order;
    const answer = await scene.user.retryPayment(orderId, 'tok_ok', { key: 'p2' });
    expect(answer.summary, answer.text).toBe('409 PAYMENT_UNSETTLED');
    expect(answer.problem).toMatchObject({ orderId, paymentId });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await paymentsOf(orderId)).toHaveLength(1);
    await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
  }

  async function retriedOnce(orderId: string): Promise<void> {
    // The refusal was temporary, even for its own key.
    const answer = await scene.user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 });
    expect([answer.summary, replayed(answer)]).toEqual(['200 CAPTURED', false]);
    await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/0/2');
  }

  function settled(order: OrderDocument, status: string): Promise<void> {
    heal(scene.stack);
    return scene.inTime(async () => {
      expect((await scene.user.payment(order.paymentId ?? '')).status).toBe(status);
    });
  }

  test('its void owed, it is not retried; then it is', async () => {
    const order = await unconfirmed(refuseConnection);
    await unsettled(order);
    await settled(order, 'VOIDED');
    await retriedOnce(order.orderId);
    expect(await charges(order.orderId)).toEqual(['CAPTURED 2000']);
  });

  test('its charge pending and its void owed, it is not retried; then it is', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, { on: httpCall('POST', '/void$'), act: refuseConnection });
    await scene.user.pay(orderId, 'tok_never_captured');
    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'),
      {
        stepSeconds: 15,
      },
    );
    await unsettled(order);
    await settled(order, 'VOIDED');
    await retriedOnce(orderId);
    expect(await charges(orderId)).toEqual(['VOIDED 2000', 'CAPTURED 2000']);
  });

  test('its money taken and not given back, it is not retried; then it is', async () => {
    const order = await unconfirmed(loseAnswer);
    await unsettled(order);
    await settled(order, 'REFUNDED');
    await retriedOnce(order.orderId);
    // There are two payments, but only one keeps its money.
    expect(await charges(order.orderId)).toEqual(['REFUNDED 2000', 'CAPTURED 2000']);
    const { refunds } = await scene.user.order(order.orderId);
    expect(refunds.map(({ paymentId }) => paymentId)).toEqual([order.paymentId]);
  });

  test('but its refund owed because its stock was gone, it is retried at once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(
      scene.stack,
      {
        on: httpCall('POST', '/confirm$'),
        times: 1,
        act: after(() => inventoryCall(scene.stack, 'DELETE', `${orderId}?revision=1`)),
      },
      { on: httpCall('POST', '/refund$'), act: refuseConnection },
    );
    await scene.user.pay(orderId, 'tok_ok');
    const order = await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
    expect(order.reason).toBe('RESERVATION_GONE');
    await retriedOnce(orderId);
    expect(await charges(orderId)).toEqual(['CAPTURED 2000', 'CAPTURED 2000']);
    await settled(order, 'REFUNDED');
    const { refunds, status } = await scene.user.order(orderId);
    expect(status).toBe('PAYMENT_DONE');
    expect(refunds.map(({ paymentId }) => paymentId)).toEqual([order.paymentId]);
    expect(await charges(orderId)).toEqual(['REFUNDED 2000', 'CAPTURED 2000']);
  });
});

describe('in every other status retrying the payment is refused:', () => {
  async function refusedIn(orderId: string, status: string): Promise<void> {
    const { history, links } = await scene.user.expectStatus(orderId, status);
    expect(links).not.toHaveProperty('retryPayment');
    const payments = await paymentsOf(orderId);
    const answer = await scene.user.retryPayment(orderId, 'tok_ok');
    expect(answer.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(answer.problem.orderId).toBe(orderId);
    expect((await scene.user.order(orderId)).history).toEqual(history);
    expect(await paymentsOf(orderId)).toEqual(payments);
  }

  test('CREATED', async () => {
    inject(scene.stack, {
      on: stateMachineCall('StartExecution'),
      times: 1,
      act: refuseConnection,
    });
    const { orderId } = (await scene.user.place(items())).order;
    await refusedIn(orderId, 'CREATED');
    await scene.user.cancel(orderId);
    await scene.inTime(async () => {
      expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
    });
  });

  test('PENDING_RESERVING_STOCK, for the first time and for other items', async () => {
    const inventory = held();
    inject(scene.stack, { on: reserving, act: inventory.act });
    const { orderId } = (await scene.user.place(items())).order;
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));
    await refusedIn(orderId, 'PENDING_RESERVING_STOCK');
    inventory.letGo();
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));

    const again = held();
    inject(scene.stack, { on: reserving, act: again.act });
    await scene.user.modify(orderId, items(3));
    await refusedIn(orderId, 'PENDING_RESERVING_STOCK');
    again.letGo();
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
  });

  test('PENDING_PAYMENT', async () => {
    await refusedIn((await scene.user.reserved(scene.productId)).orderId, 'PENDING_PAYMENT');
  });

  test('PAYMENT_DONE', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
    await refusedIn(orderId, 'PAYMENT_DONE');
  });

  test('ORDER_FAILED', async () => {
    await refusedIn(await withdrawn(), 'ORDER_FAILED');
  });

  test('INVALID', async () => {
    const { orderId = '' } = (await scene.user.place(items(11), { wait: 10 })).problem;
    await refusedIn(orderId, 'INVALID');
  });

  test('ORDER_CANCELLED', async () => {
    const { orderId } = await declined();
    await scene.user.cancel(orderId);
    await refusedIn(orderId, 'ORDER_CANCELLED');
  });
});

describe('retrying a payment with an Idempotency-Key', () => {
  test('charges once and is replayed', async () => {
    const { orderId } = await declined();
    const first = await scene.user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 });
    expect([first.summary, replayed(first)]).toEqual(['200 CAPTURED', false]);
    const again = await scene.user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 });
    expect([again.text, replayed(again)]).toEqual([first.text, true]);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
  });

  test('of the declined payment is another one on this route', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.pay(orderId, 'tok_declined', { key: 'p1', wait: 10 });
    const answer = await scene.user.retryPayment(orderId, 'tok_ok', { key: 'p1', wait: 10 });
    expect([answer.summary, replayed(answer)]).toEqual(['200 CAPTURED', false]);
  });

  test('that was declined replays that, and charges nothing more', async () => {
    const { orderId } = await declined();
    const first = await scene.user.retryPayment(orderId, 'tok_declined', { key: 'p2', wait: 10 });
    const again = await scene.user.retryPayment(orderId, 'tok_declined', { key: 'p2', wait: 10 });
    expect([again.text, replayed(again)]).toEqual([first.text, true]);
    expect(await paymentsOf(orderId)).toHaveLength(2);
    const next = await scene.user.retryPayment(orderId, 'tok_ok', { key: 'p3', wait: 10 });
    expect(next.summary).toBe('200 CAPTURED');
  });

  test('with another method or for another order is refused', async () => {
    const { orderId } = await declined();
    const second = await scene.user.reserved(scene.productId, 3);
    await scene.user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 });
    const otherMethod = await scene.user.retryPayment(orderId, 'tok_flaky', { key: 'p2' });
    const otherOrder = await scene.user.retryPayment(second.orderId, 'tok_ok', { key: 'p2' });
    expect([otherMethod.summary, otherOrder.summary]).toEqual([
      '422 IDEMPOTENCY_CONFLICT',
      '422 IDEMPOTENCY_CONFLICT',
    ]);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
    expect(await paymentsOf(second.orderId)).toEqual([]);
  });

  test('whose handler died after its write charges once', async () => {
    const { orderId } = await declined();
    inject(scene.stack, {
      on: butFirst(databaseCall('PutItem', 'orders')),
      times: 1,
      act: dieAfter,
    });
    expect((await scene.user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 })).status).toBe(
      502,
    );
    const { paymentId } = await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');
    await scene.stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);

    const again = await scene.user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['200 CAPTURED', false]);
    expect(again.payment).toMatchObject({ paymentId, attempt: 2 });
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
    expect((await storedOrder(scene.stack, orderId)).run).toBe(2);
  });
});

test('a payment whose retry died after its write is charged by the dispatcher', async () => {
  const { orderId } = await declined();
  inject(scene.stack, { on: butFirst(databaseCall('PutItem', 'orders')), times: 1, act: dieAfter });
  expect((await scene.user.retryPayment(orderId, 'tok_ok')).status).toBe(502);
  await scene.stack.clock.advance(DISPATCH_AFTER_MS);
  await scene.stack.runSchedules();
  await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
  expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
});

test('another user’s order does not exist', async () => {
  const { orderId } = await declined();
  const stranger = await Customer.of(scene.stack);
  const answers = [
    await stranger.retryPayment(orderId, 'tok_ok'),
    await stranger.retryPayment('ord_nowhere', 'tok_ok'),
  ];
  expect(answers.map(({ summary }) => summary)).toEqual(['404 NOT_FOUND', '404 NOT_FOUND']);
  expect(new Set(answers.map(({ problem }) => problem.detail)).size).toBe(1);
  await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
