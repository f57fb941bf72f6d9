import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmbeddedStack } from '../../local/stack/embedded-stack.ts';
import {
  after,
  anyGatewayCall,
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
  transaction,
} from '../support/faults.ts';
import { expectPromisesAtRest, ordersOf, snapshotOf, storedOrder } from '../support/invariants.ts';
import {
  type Answer,
  Customer,
  changeProduct,
  chargesOf,
  inventoryCall,
  newProduct,
  type OrderDocument,
  stockLine,
} from '../support/shop.ts';
import {
  asTimeGoesOn,
  eventually,
  executions,
  messagesIn,
  startTestStack,
} from '../support/stack.ts';

const RESERVATION_TTL_MS = 600_000;
const DISPATCH_AFTER_MS = 30_000;
/** How long a request may run before its key is free again: its function's time-out. */
const LAMBDA_TIMEOUT_MS = 20_000;

let stack: EmbeddedStack;
let user: Customer;
/** At 1000 cents each, 10 in stock. */
let productId: string;

beforeAll(async () => {
  // No schedule comes in between; the tests run it where they want it.
  stack = await startTestStack({ RESERVATION_TTL_SECONDS: '600', SCHEDULE_SECONDS: '3600' });
});

beforeEach(async () => {
  user = await Customer.of(stack);
  productId = await newProduct(10);
});

afterEach(() => {
  heal(stack);
});

afterAll(async () => {
  await stack.stop();
});

const reserving = httpCall('PUT', '/inventory/reservation/');
const releasing = httpCall('DELETE', '/inventory/reservation/');

const items = (quantity = 2) => [{ productId, quantity }];
const eur = (amount: number) => ({ amount, currency: 'EUR' });

function replayed(answer: Answer): boolean {
  return answer.headers.get('idempotent-replayed') === 'true';
}

async function charges(orderId: string): Promise<string[]> {
  return (await chargesOf(stack, orderId)).map(
    ({ status, amount }) => `${status} ${String(amount.amount)}`,
  );
}

async function paymentsOf(orderId: string): Promise<string[]> {
  const { payments } = await snapshotOf(stack);
  return payments.filter((one) => one.orderId === orderId).map(({ status }) => status);
}

/** Time goes on, and the schedules and queues with it, until `check` throws no more. */
function inTime<Result>(check: () => Promise<Result>): Promise<Result> {
  return asTimeGoesOn(
    stack,
    async () => {
      await stack.runSchedules();
      await stack.pollQueues();
      return check();
    },
    { stepSeconds: 10 },
  );
}

/** An order of two that failed because its product was withdrawn. */
async function withdrawn(): Promise<string> {
  await changeProduct(stack, productId, { active: false });
  const answer = await user.place(items(), { wait: 10 });
  expect(answer.summary).toBe('503 ORDER_FAILED');
  expect(answer.problem.reason).toBe('PRODUCT_UNAVAILABLE');
  return answer.problem.orderId ?? '';
}

/** An order of two whose reservation's time was up. */
async function expired(): Promise<OrderDocument> {
  const { orderId } = await user.reserved(productId, 2);
  await stack.clock.advance(RESERVATION_TTL_MS + 1000);
  user = await user.withFreshToken();
  const order = await eventually(() => user.expectStatus(orderId, 'ORDER_FAILED'));
  expect(order.reason).toBe('RESERVATION_EXPIRED');
  return order;
}

/** An order of two whose first payment was declined. */
async function declined(): Promise<OrderDocument> {
  const { orderId } = await user.reserved(productId, 2);
  expect((await user.pay(orderId, 'tok_declined', { wait: 10 })).status).toBe(402);
  return user.expectStatus(orderId, 'PAYMENT_FAILED');
}

/** An order whose payment was given up while the gateway could not be reached, and still is not. */
async function unconfirmed(charge: Fault['act']): Promise<OrderDocument> {
  const { orderId } = await user.reserved(productId, 2);
  inject(
    stack,
    { on: httpCall('POST', '/gateway/charges$'), times: 1, act: charge },
    { on: anyGatewayCall, act: refuseConnection },
  );
  await user.pay(orderId, 'tok_ok');
  return asTimeGoesOn(stack, () => user.expectStatus(orderId, 'PAYMENT_FAILED'), {
    stepSeconds: 15,
  });
}

describe('retrying an order that failed', () => {
  test('because a product was withdrawn reserves it once that is back on sale', async () => {
    const orderId = await withdrawn();
    expect((await user.order(orderId)).links).toHaveProperty('retryOrder');
    await changeProduct(stack, productId, { active: true, unitPrice: eur(1500) });

    const answer = await user.retryOrder(orderId, { wait: 10 });

    expect(answer.summary, answer.text).toBe('201 PENDING_PAYMENT');
    expect(answer.headers.get('location')).toBe(`/order/${orderId}`);
    const { order } = answer;
    expect(order).toMatchObject({
      orderId,
      reason: null,
      paymentUrl: expect.stringContaining(orderId),
      // It was never reserved before, so no price was promised.
      items: [{ productId, quantity: 2, unitPrice: eur(1500) }],
      total: eur(3000),
    });
    expect(order.history.slice(2).map(({ to, by }) => [to, by])).toEqual([
      ['ORDER_FAILED', 'ordersaga'],
      ['CREATED', user.userId],
      ['PENDING_RESERVING_STOCK', 'ordersaga'],
      ['PENDING_PAYMENT', 'ordersaga'],
    ]);
    expect(await storedOrder(stack, orderId)).toMatchObject({
      run: 2,
      revision: 2,
      heldRevision: 2,
      attempt: 0,
    });
    expect(await stockLine(stack, productId)).toBe('8/2/0');
    expect((await user.pay(orderId, 'tok_ok', { wait: 10 })).payment).toMatchObject({
      status: 'CAPTURED',
      amount: eur(3000),
      attempt: 1,
    });
  });

  test('because its time was up gets all of it anew, at the price it was promised', async () => {
    const { orderId } = await expired();
    await changeProduct(stack, productId, { unitPrice: eur(1500) });

    const { order } = await user.retryOrder(orderId, { wait: 10 });

    expect(order).toMatchObject({ status: 'PENDING_PAYMENT', total: eur(2000) });
    const retriedAt = order.history.find(({ reason }) => reason === 'ORDER_RETRIED')?.at ?? '';
    const expiresAtMs = Date.parse(order.reservationExpiresAt ?? '');
    expect(expiresAtMs).toBeGreaterThanOrEqual(Date.parse(retriedAt) + RESERVATION_TTL_MS);
    expect((await inventoryCall(stack, 'GET', orderId)).json).toMatchObject({
      status: 'HELD',
      revision: 2,
      expiresAt: order.reservationExpiresAt,
    });
    expect(await storedOrder(stack, orderId)).toMatchObject({ run: 2, revision: 2 });
    // The time of the first reservation has no say any more.
    await stack.clock.advance(RESERVATION_TTL_MS / 2);
    await stack.runSchedules();
    expect((await user.pay(orderId, 'tok_ok', { wait: 10 })).payment).toMatchObject({
      status: 'CAPTURED',
      amount: eur(2000),
    });
  });

  test('because Inventory was away reserves once it is back', async () => {
    inject(stack, { on: reserving, act: refuseConnection });
    const { orderId } = (await user.place(items())).order;
    const failed = await asTimeGoesOn(stack, () => user.expectStatus(orderId, 'ORDER_FAILED'), {
      stepSeconds: 2,
    });
    expect(failed.reason).toBe('INVENTORY_UNAVAILABLE');
    heal(stack);
    const answer = await user.retryOrder(orderId, { wait: 10 });
    expect(answer.summary, answer.text).toBe('201 PENDING_PAYMENT');
    expect((await user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });

  test('is answered at once where the caller does not wait', async () => {
    const orderId = await withdrawn();
    await changeProduct(stack, productId, { active: true });
    const answer = await user.retryOrder(orderId);
    expect(answer.summary).toBe('202 CREATED');
    expect(answer.headers.get('location')).toBe(`/order/${orderId}`);
    await eventually(() => user.expectStatus(orderId, 'PENDING_PAYMENT'));
  });

  test('may fail again, and be retried again', async () => {
    const orderId = await withdrawn();
    const again = await user.retryOrder(orderId, { wait: 10 });
    expect(again.summary).toBe('503 ORDER_FAILED');
    expect(again.problem).toMatchObject({ orderId, reason: 'PRODUCT_UNAVAILABLE' });
    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(0);
    await changeProduct(stack, productId, { active: true });
    expect((await user.retryOrder(orderId, { wait: 10 })).summary).toBe('201 PENDING_PAYMENT');
    expect(await storedOrder(stack, orderId)).toMatchObject({ run: 3, revision: 3 });
    expect((await executions(stack, orderId)).map(({ status }) => status)).toEqual([
      'SUCCEEDED',
      'SUCCEEDED',
      'RUNNING',
    ]);
  });

  test('may find that others have bought it all by now', async () => {
    const { orderId } = await expired();
    await inTime(async () => {
      expect(await stockLine(stack, productId)).toBe('10/0/0');
    });
    const other = await Customer.of(stack);
    await other.reserved(productId, 9);
    const answer = await user.retryOrder(orderId, { wait: 10 });
    expect(answer.summary).toBe('422 OUT_OF_STOCK');
    expect(answer.problem.orderId).toBe(orderId);
    await user.expectStatus(orderId, 'INVALID');
    expect(await stockLine(stack, productId)).toBe('1/9/0');
  });

  test('is possible until 40 of its 50 runs are used up', async () => {
    const orderId = await withdrawn();
    for (let run = 2; run <= 40; run += 1) {
      const answer = await user.retryOrder(orderId, { wait: 10 });
      expect(answer.summary, `run ${String(run)}`).toBe('503 ORDER_FAILED');
    }
    const { links } = await user.order(orderId);
    expect(links).not.toHaveProperty('retryOrder');
    expect(links).toHaveProperty('cancel');
    expect((await user.retryOrder(orderId)).summary).toBe('409 ILLEGAL_TRANSITION');
    expect((await storedOrder(stack, orderId)).run).toBe(40);
  });
});

describe('what the failed run did late', () => {
  test('its release does not take the new reservation', async () => {
    const release = held();
    const call = inject(stack, { on: releasing, times: 1, act: release.act });
    const { orderId } = await expired();
    await eventually(() => {
      expect(call.strikes).toBe(1);
    });
    expect((await user.retryOrder(orderId, { wait: 10 })).summary).toBe('201 PENDING_PAYMENT');
    expect(await stockLine(stack, productId)).toBe('8/2/0');

    release.letGo();

    await eventually(async () => {
      expect((await executions(stack, orderId))[0]?.status).toBe('SUCCEEDED');
    });
    expect(await stockLine(stack, productId)).toBe('8/2/0');
    const order = await user.expectStatus(orderId, 'PENDING_PAYMENT');
    // What is still held keeps no time of the failed run either.
    expect(Date.parse(order.reservationExpiresAt ?? '')).toBeGreaterThan(
      Date.parse(order.history.at(-1)?.at ?? '') + RESERVATION_TTL_MS / 2,
    );
    expect((await user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
    expect(await stockLine(stack, productId)).toBe('8/0/2');
  });

  test('its queued release does not take the new reservation', async () => {
    inject(stack, { on: releasing, act: refuseConnection });
    const { orderId } = await expired();
    await asTimeGoesOn(stack, () => {
      expect(messagesIn(stack, 'CompensationQueue')).toContainEqual(
        expect.objectContaining({ orderId, run: 1 }),
      );
      return Promise.resolve();
    });
    expect((await user.retryOrder(orderId, { wait: 10 })).summary).toBe('201 PENDING_PAYMENT');

    heal(stack);
    await asTimeGoesOn(stack, async () => {
      await stack.pollQueues();
      expect(messagesIn(stack, 'CompensationQueue')).toEqual([]);
    });

    expect(await stockLine(stack, productId)).toBe('8/2/0');
    expect((await user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });

  test('its reservation is refused once the new one stands', async () => {
    inject(stack, { on: reserving, act: refuseConnection });
    const { orderId } = (await user.place(items())).order;
    await asTimeGoesOn(stack, () => user.expectStatus(orderId, 'ORDER_FAILED'), { stepSeconds: 2 });
    heal(stack);
    expect((await user.retryOrder(orderId, { wait: 10 })).summary).toBe('201 PENDING_PAYMENT');
    const late = await inventoryCall(stack, 'PUT', orderId, { revision: 1, items: items(5) });
    expect(late.summary).toBe('409 STALE_REVISION');
    expect(await stockLine(stack, productId)).toBe('8/2/0');
    expect((await user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });
});

describe('in every other status retrying the order is refused:', () => {
  async function refusedIn(orderId: string, status: string): Promise<void> {
    const { history, links } = await user.expectStatus(orderId, status);
    expect(links).not.toHaveProperty('retryOrder');
    const answer = await user.retryOrder(orderId);
    expect(answer.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(answer.problem.orderId).toBe(orderId);
    expect((await user.order(orderId)).history).toEqual(history);
    expect((await storedOrder(stack, orderId)).run).toBe(1);
  }

  test('CREATED', async () => {
    inject(stack, { on: stateMachineCall('StartExecution'), times: 1, act: refuseConnection });
    const { orderId } = (await user.place(items())).order;
    await refusedIn(orderId, 'CREATED');
    await user.cancel(orderId);
    await inTime(async () => {
      expect((await storedOrder(stack, orderId)).releaseOwed).toBeUndefined();
    });
  });

  test('PENDING_RESERVING_STOCK', async () => {
    const inventory = held();
    inject(stack, { on: reserving, act: inventory.act });
    const { orderId } = (await user.place(items())).order;
    await eventually(() => user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));
    await refusedIn(orderId, 'PENDING_RESERVING_STOCK');
    inventory.letGo();
    await eventually(() => user.expectStatus(orderId, 'PENDING_PAYMENT'));
  });

  test('PENDING_PAYMENT', async () => {
    await refusedIn((await user.reserved(productId)).orderId, 'PENDING_PAYMENT');
  });

  test('PAYMENT_IN_PROGRESS and PAYMENT_DONE', async () => {
    const { orderId } = await user.reserved(productId);
    const gateway = held();
    inject(stack, { on: anyGatewayCall, act: gateway.act });
    await user.pay(orderId, 'tok_ok');
    await refusedIn(orderId, 'PAYMENT_IN_PROGRESS');
    gateway.letGo();
    await eventually(() => user.expectStatus(orderId, 'PAYMENT_DONE'));
    await refusedIn(orderId, 'PAYMENT_DONE');
  });

  test('PAYMENT_FAILED', async () => {
    await refusedIn((await declined()).orderId, 'PAYMENT_FAILED');
  });

  test('INVALID', async () => {
    const { orderId = '' } = (await user.place(items(11), { wait: 10 })).problem;
    await refusedIn(orderId, 'INVALID');
  });

  test('ORDER_CANCELLED', async () => {
    const { orderId } = await user.reserved(productId);
    await user.cancel(orderId);
    await refusedIn(orderId, 'ORDER_CANCELLED');
  });
});

describe('the Idempotency-Key that an order was placed with', () => {
  test('retries it once it has failed, though its first answer was stored', async () => {
    await changeProduct(stack, productId, { active: false });
    const first = await user.place(items(), { key: 'k1' });
    expect(first.status).toBe(202);
    const { orderId } = first.order;
    await eventually(() => user.expectStatus(orderId, 'ORDER_FAILED'));
    await changeProduct(stack, productId, { active: true });

    const again = await user.place(items(), { key: 'k1', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect(again.order.orderId).toBe(orderId);
    expect(await ordersOf(stack, user.userId)).toHaveLength(1);
    expect(await storedOrder(stack, orderId)).toMatchObject({ run: 2, revision: 2 });
    // In force, it is not tried again.
    await user.place(items(), { key: 'k1', wait: 10 });
    expect((await storedOrder(stack, orderId)).run).toBe(2);
  });

  test('retries it also after it was ready to be paid for a while', async () => {
    const first = await user.place(items(), { key: 'k1', wait: 10 });
    expect(first.summary).toBe('201 PENDING_PAYMENT');
    await stack.clock.advance(RESERVATION_TTL_MS + 1000);
    user = await user.withFreshToken();
    await eventually(() => user.expectStatus(first.order.orderId, 'ORDER_FAILED'));

    const again = await user.place(items(), { key: 'k1', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect(again.order.orderId).toBe(first.order.orderId);
  });

  test('sent ten times at once retries it once', async () => {
    await changeProduct(stack, productId, { active: false });
    const { orderId = '' } = (await user.place(items(), { key: 'k1', wait: 10 })).problem;
    await changeProduct(stack, productId, { active: true });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => user.place(items(), { key: 'k1', wait: 10 })),
    );
    const summaries = new Set(answers.map(({ summary }) => summary));
    summaries.delete('409 REQUEST_IN_PROGRESS');
    expect([...summaries]).toEqual(['201 PENDING_PAYMENT']);
    expect((await storedOrder(stack, orderId)).run).toBe(2);
    expect(await stockLine(stack, productId)).toBe('8/2/0');
  });
});

describe('retrying an order with an Idempotency-Key', () => {
  test('is done once and replayed', async () => {
    const orderId = await withdrawn();
    await changeProduct(stack, productId, { active: true });
    const first = await user.retryOrder(orderId, { key: 'r1', wait: 10 });
    expect([first.summary, replayed(first)]).toEqual(['201 PENDING_PAYMENT', false]);
    const again = await user.retryOrder(orderId, { key: 'r1', wait: 10 });
    expect([again.text, replayed(again)]).toEqual([first.text, true]);
    expect((await storedOrder(stack, orderId)).run).toBe(2);
  });

  test('that failed is tried again with the same key', async () => {
    const orderId = await withdrawn();
    const failed = await user.retryOrder(orderId, { key: 'r1', wait: 10 });
    expect(failed.summary).toBe('503 ORDER_FAILED');
    await changeProduct(stack, productId, { active: true });

    const again = await user.retryOrder(orderId, { key: 'r1', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect((await storedOrder(stack, orderId)).run).toBe(3);
  });

  test('that failed after its answer was stored is tried again with the same key', async () => {
    const orderId = await withdrawn();
    expect((await user.retryOrder(orderId, { key: 'r1' })).status).toBe(202);
    await eventually(() => user.expectStatus(orderId, 'ORDER_FAILED'));
    await changeProduct(stack, productId, { active: true });

    const again = await user.retryOrder(orderId, { key: 'r1', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect((await storedOrder(stack, orderId)).run).toBe(3);
  });

  test('whose handler died after its write is done once', async () => {
    const orderId = await withdrawn();
    await inTime(async () => {
      expect((await storedOrder(stack, orderId)).releaseOwed).toBeUndefined();
    });
    await changeProduct(stack, productId, { active: true });
    inject(stack, { on: databaseCall('PutItem', 'orders'), times: 1, act: dieAfter });
    expect((await user.retryOrder(orderId, { key: 'r1', wait: 10 })).status).toBe(502);
    await user.expectStatus(orderId, 'CREATED');
    await stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);

    const again = await user.retryOrder(orderId, { key: 'r1', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect(await storedOrder(stack, orderId)).toMatchObject({ run: 2, revision: 2 });
    expect(await stockLine(stack, productId)).toBe('8/2/0');
  });
});

test('an order whose retry died after its write is started by the dispatcher', async () => {
  const orderId = await withdrawn();
  await inTime(async () => {
    expect((await storedOrder(stack, orderId)).releaseOwed).toBeUndefined();
  });
  await changeProduct(stack, productId, { active: true });
  inject(stack, { on: databaseCall('PutItem', 'orders'), times: 1, act: dieAfter });
  expect((await user.retryOrder(orderId)).status).toBe(502);
  await stack.clock.advance(DISPATCH_AFTER_MS);
  await stack.runSchedules();
  await eventually(() => user.expectStatus(orderId, 'PENDING_PAYMENT'));
  expect((await storedOrder(stack, orderId)).run).toBe(2);
});

describe('retrying a payment', () => {
  test('reserves again, then charges the same total', async () => {
    const before = await declined();
    const { orderId } = before;
    expect(before.links).toHaveProperty('retryPayment');
    expect(await stockLine(stack, productId)).toBe('10/0/0');
    await changeProduct(stack, productId, { unitPrice: eur(1500) });

    const answer = await user.retryPayment(orderId, 'tok_ok', { wait: 10 });

    expect(answer.summary, answer.text).toBe('200 CAPTURED');
    const { payment } = answer;
    expect(answer.headers.get('location')).toBe(`/payment/${payment.paymentId}`);
    expect(payment).toMatchObject({ orderId, attempt: 2, amount: eur(2000), code: null });
    const order = await user.expectStatus(orderId, 'PAYMENT_DONE');
    expect(order).toMatchObject({
      paymentId: payment.paymentId,
      items: before.items,
      total: eur(2000),
    });
    expect(order.history.slice(before.history.length).map(({ to, by }) => [to, by])).toEqual([
      ['PENDING_RESERVING_STOCK', user.userId],
      ['PAYMENT_IN_PROGRESS', 'ordersaga'],
      ['PAYMENT_DONE', 'ordersaga'],
    ]);
    expect(await storedOrder(stack, orderId)).toMatchObject({ run: 2, revision: 2, attempt: 2 });
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
    expect(await stockLine(stack, productId)).toBe('8/0/2');
  });

  test('is answered at once where the caller does not wait', async () => {
    const { orderId } = await declined();
    const answer = await user.retryPayment(orderId, 'tok_ok');
    expect(answer.summary).toBe('202 INITIATED');
    expect(answer.headers.get('location')).toBe(`/payment/${answer.payment.paymentId}`);
    expect((await user.order(orderId)).paymentId).toBe(answer.payment.paymentId);
    await eventually(() => user.expectStatus(orderId, 'PAYMENT_DONE'));
  });

  test('charges nothing before the stock is reserved', async () => {
    const { orderId } = await declined();
    const inventory = held();
    const call = inject(stack, { on: reserving, act: inventory.act });
    const { paymentId } = (await user.retryPayment(orderId, 'tok_ok')).payment;
    await eventually(() => {
      expect(call.strikes).toBe(1);
    });
    await user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');
    expect((await user.payment(paymentId)).status).toBe('INITIATED');
    expect(await charges(orderId)).toEqual(['DECLINED 2000']);
    inventory.letGo();
    await eventually(() => user.expectStatus(orderId, 'PAYMENT_DONE'));
  });

  test.each<[string, () => Promise<unknown>]>([
    [
      'OUT_OF_STOCK',
      async () => {
        await (await Customer.of(stack)).reserved(productId, 9);
      },
    ],
    ['PRODUCT_UNAVAILABLE', () => changeProduct(stack, productId, { active: false })],
  ])('that is refused its stock as %s charges nothing', async (code, meanwhile) => {
    const { orderId } = await declined();
    await meanwhile();
    const stock = await stockLine(stack, productId);

    const answer = await user.retryPayment(orderId, 'tok_ok', { wait: 10 });

    expect(answer.summary).toBe('402 PAYMENT_FAILED');
    const { paymentId = '' } = answer.problem;
    expect(answer.problem).toMatchObject({ orderId, reason: code });
    expect(await user.payment(paymentId)).toMatchObject({ status: 'FAILED', code, attempt: 2 });
    const order = await user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(order).toMatchObject({ reason: code, paymentId, total: eur(2000) });
    await inTime(async () => {
      expect((await storedOrder(stack, orderId)).releaseOwed).toBeUndefined();
    });
    expect(await stockLine(stack, productId)).toBe(stock);
    expect(await charges(orderId)).toEqual(['DECLINED 2000']);
  });

  test('that was refused its stock is possible again when there is some', async () => {
    const { orderId } = await declined();
    await changeProduct(stack, productId, { active: false });
    expect((await user.retryPayment(orderId, 'tok_ok', { wait: 10 })).status).toBe(402);
    await changeProduct(stack, productId, { active: true });
    const answer = await user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect([answer.summary, answer.payment.attempt]).toEqual(['200 CAPTURED', 3]);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
  });

  test.each<[string, Fault['act']]>([
    ['nobody listens', refuseConnection],
    ['no answer comes', loseAnswer],
  ])('while at Inventory %s charges nothing and leaves a dead letter', async (_what, act) => {
    const { orderId } = await declined();
    inject(stack, { on: reserving, act });
    const { paymentId } = (await user.retryPayment(orderId, 'tok_ok')).payment;

    const order = await asTimeGoesOn(stack, () => user.expectStatus(orderId, 'PAYMENT_FAILED'), {
      stepSeconds: 2,
    });

    expect(order.reason).toBe('INVENTORY_UNAVAILABLE');
    expect(await user.payment(paymentId)).toMatchObject({
      status: 'FAILED',
      code: 'INVENTORY_UNAVAILABLE',
    });
    await eventually(() => {
      expect(messagesIn(stack, 'SagaDeadLetterQueue')).toContainEqual(
        expect.objectContaining({ orderId, run: 2, step: 'reserve-stock' }),
      );
    });
    await inTime(async () => {
      expect(await stockLine(stack, productId)).toBe('10/0/0');
      expect((await storedOrder(stack, orderId)).releaseOwed).toBeUndefined();
    });
    expect(await charges(orderId)).toEqual(['DECLINED 2000']);
    heal(stack);
    expect((await user.retryPayment(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });

  test('whose reservation is lost again before the charge charges nothing', async () => {
    const { orderId } = await declined();
    inject(stack, {
      on: httpCall('POST', '/extend$'),
      times: 1,
      act: after(() => inventoryCall(stack, 'DELETE', `${orderId}?revision=2`)),
    });
    const answer = await user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect(answer.summary).toBe('402 PAYMENT_FAILED');
    expect(answer.problem.reason).toBe('RESERVATION_EXPIRED');
    await user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(await charges(orderId)).toEqual(['DECLINED 2000']);
  });

  test('may be declined again, and again be retried', async () => {
    const { orderId } = await declined();
    const again = await user.retryPayment(orderId, 'tok_insufficient_funds', { wait: 10 });
    expect(again.summary).toBe('402 PAYMENT_DECLINED');
    expect(again.problem.reason).toBe('INSUFFICIENT_FUNDS');
    expect((await user.expectStatus(orderId, 'PAYMENT_FAILED')).reason).toBe('INSUFFICIENT_FUNDS');
    expect(await stockLine(stack, productId)).toBe('10/0/0');
    const last = await user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect([last.summary, last.payment.attempt]).toEqual(['200 CAPTURED', 3]);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'DECLINED 2000', 'CAPTURED 2000']);
    expect(await storedOrder(stack, orderId)).toMatchObject({ run: 3, revision: 3, attempt: 3 });
  });

  test('while the retried one is open is answered with that one', async () => {
    const { orderId } = await declined();
    const gateway = held();
    inject(stack, { on: anyGatewayCall, act: gateway.act });
    const first = await user.retryPayment(orderId, 'tok_ok');
    await eventually(() => user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS'));

    const others = [
      await user.retryPayment(orderId, 'tok_ok'),
      await user.retryPayment(orderId, 'tok_flaky', { key: 'p2' }),
      await user.pay(orderId, 'tok_ok'),
    ];
    gateway.letGo();

    for (const other of others) {
      expect([other.status, other.payment.paymentId]).toEqual([202, first.payment.paymentId]);
    }
    await eventually(() => user.expectStatus(orderId, 'PAYMENT_DONE'));
    expect(await paymentsOf(orderId)).toHaveLength(2);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
  });

  test('ten times at once charges once', async () => {
    const { orderId } = await declined();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        user.retryPayment(orderId, 'tok_ok', { key: `p${String(index)}`, wait: 10 }),
      ),
    );
    for (const { summary } of answers) {
      expect(['200 CAPTURED', '409 ILLEGAL_TRANSITION']).toContain(summary);
    }
    expect(answers.map(({ status }) => status)).toContain(200);
    await user.expectStatus(orderId, 'PAYMENT_DONE');
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
    expect(await paymentsOf(orderId)).toHaveLength(2);
  });
});

describe('while an earlier payment is not settled', () => {
  async function unsettled(order: OrderDocument): Promise<void> {
    const { orderId, paymentId } = order;
    const answer = await user.retryPayment(orderId, 'tok_ok', { key: 'p2' });
    expect(answer.summary, answer.text).toBe('409 PAYMENT_UNSETTLED');
    expect(answer.problem).toMatchObject({ orderId, paymentId });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await paymentsOf(orderId)).toHaveLength(1);
    await user.expectStatus(orderId, 'PAYMENT_FAILED');
  }

  async function retriedOnce(orderId: string): Promise<void> {
    // The refusal was only true for the moment, also for its key.
    const answer = await user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 });
    expect([answer.summary, replayed(answer)]).toEqual(['200 CAPTURED', false]);
    await user.expectStatus(orderId, 'PAYMENT_DONE');
    expect(await stockLine(stack, productId)).toBe('8/0/2');
  }

  function settled(order: OrderDocument, status: string): Promise<void> {
    heal(stack);
    return inTime(async () => {
      expect((await user.payment(order.paymentId ?? '')).status).toBe(status);
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
    const { orderId } = await user.reserved(productId, 2);
    inject(stack, { on: httpCall('POST', '/void$'), act: refuseConnection });
    await user.pay(orderId, 'tok_never_captured');
    const order = await asTimeGoesOn(stack, () => user.expectStatus(orderId, 'PAYMENT_FAILED'), {
      stepSeconds: 15,
    });
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
    // Two payments, but never two that were both kept.
    expect(await charges(order.orderId)).toEqual(['REFUNDED 2000', 'CAPTURED 2000']);
    const { refunds } = await user.order(order.orderId);
    expect(refunds.map(({ paymentId }) => paymentId)).toEqual([order.paymentId]);
  });

  test('its refund owed because its stock was gone, it is not retried; then it is', async () => {
    const { orderId } = await user.reserved(productId, 2);
    inject(
      stack,
      {
        on: httpCall('POST', '/confirm$'),
        times: 1,
        act: after(() => inventoryCall(stack, 'DELETE', `${orderId}?revision=1`)),
      },
      { on: httpCall('POST', '/refund$'), act: refuseConnection },
    );
    await user.pay(orderId, 'tok_ok');
    const order = await eventually(() => user.expectStatus(orderId, 'PAYMENT_FAILED'));
    expect(order.reason).toBe('RESERVATION_GONE');
    await unsettled(order);
    await settled(order, 'REFUNDED');
    await retriedOnce(orderId);
    expect(await charges(orderId)).toEqual(['REFUNDED 2000', 'CAPTURED 2000']);
  });
});

describe('in every other status retrying the payment is refused:', () => {
  async function refusedIn(orderId: string, status: string): Promise<void> {
    const { history, links } = await user.expectStatus(orderId, status);
    expect(links).not.toHaveProperty('retryPayment');
    const payments = await paymentsOf(orderId);
    const answer = await user.retryPayment(orderId, 'tok_ok');
    expect(answer.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(answer.problem.orderId).toBe(orderId);
    expect((await user.order(orderId)).history).toEqual(history);
    expect(await paymentsOf(orderId)).toEqual(payments);
  }

  test('CREATED', async () => {
    inject(stack, { on: stateMachineCall('StartExecution'), times: 1, act: refuseConnection });
    const { orderId } = (await user.place(items())).order;
    await refusedIn(orderId, 'CREATED');
    await user.cancel(orderId);
    await inTime(async () => {
      expect((await storedOrder(stack, orderId)).releaseOwed).toBeUndefined();
    });
  });

  test('PENDING_RESERVING_STOCK, for the first time and for other items', async () => {
    const inventory = held();
    inject(stack, { on: reserving, act: inventory.act });
    const { orderId } = (await user.place(items())).order;
    await eventually(() => user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));
    await refusedIn(orderId, 'PENDING_RESERVING_STOCK');
    inventory.letGo();
    await eventually(() => user.expectStatus(orderId, 'PENDING_PAYMENT'));

    const again = held();
    inject(stack, { on: reserving, act: again.act });
    await user.modify(orderId, items(3));
    await refusedIn(orderId, 'PENDING_RESERVING_STOCK');
    again.letGo();
    await eventually(() => user.expectStatus(orderId, 'PENDING_PAYMENT'));
  });

  test('PENDING_PAYMENT', async () => {
    await refusedIn((await user.reserved(productId)).orderId, 'PENDING_PAYMENT');
  });

  test('PAYMENT_DONE', async () => {
    const { orderId } = await user.reserved(productId);
    await user.pay(orderId, 'tok_ok', { wait: 10 });
    await refusedIn(orderId, 'PAYMENT_DONE');
  });

  test('ORDER_FAILED', async () => {
    await refusedIn(await withdrawn(), 'ORDER_FAILED');
  });

  test('INVALID', async () => {
    const { orderId = '' } = (await user.place(items(11), { wait: 10 })).problem;
    await refusedIn(orderId, 'INVALID');
  });

  test('ORDER_CANCELLED', async () => {
    const { orderId } = await declined();
    await user.cancel(orderId);
    await refusedIn(orderId, 'ORDER_CANCELLED');
  });
});

describe('retrying a payment with an Idempotency-Key', () => {
  test('charges once and is replayed', async () => {
    const { orderId } = await declined();
    const first = await user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 });
    expect([first.summary, replayed(first)]).toEqual(['200 CAPTURED', false]);
    const again = await user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 });
    expect([again.text, replayed(again)]).toEqual([first.text, true]);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
  });

  test('of the declined payment is another one on this route', async () => {
    const { orderId } = await user.reserved(productId, 2);
    await user.pay(orderId, 'tok_declined', { key: 'p1', wait: 10 });
    const answer = await user.retryPayment(orderId, 'tok_ok', { key: 'p1', wait: 10 });
    expect([answer.summary, replayed(answer)]).toEqual(['200 CAPTURED', false]);
  });

  test('that was declined replays that, and charges nothing more', async () => {
    const { orderId } = await declined();
    const first = await user.retryPayment(orderId, 'tok_declined', { key: 'p2', wait: 10 });
    const again = await user.retryPayment(orderId, 'tok_declined', { key: 'p2', wait: 10 });
    expect([again.text, replayed(again)]).toEqual([first.text, true]);
    expect(await paymentsOf(orderId)).toHaveLength(2);
    const next = await user.retryPayment(orderId, 'tok_ok', { key: 'p3', wait: 10 });
    expect(next.summary).toBe('200 CAPTURED');
  });

  test('with another method or for another order is refused', async () => {
    const { orderId } = await declined();
    const second = await user.reserved(productId, 3);
    await user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 });
    const otherMethod = await user.retryPayment(orderId, 'tok_flaky', { key: 'p2' });
    const otherOrder = await user.retryPayment(second.orderId, 'tok_ok', { key: 'p2' });
    expect([otherMethod.summary, otherOrder.summary]).toEqual([
      '422 IDEMPOTENCY_CONFLICT',
      '422 IDEMPOTENCY_CONFLICT',
    ]);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
    expect(await paymentsOf(second.orderId)).toEqual([]);
  });

  test('whose handler died after its write charges once', async () => {
    const { orderId } = await declined();
    inject(stack, { on: transaction, times: 1, act: dieAfter });
    expect((await user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 })).status).toBe(502);
    const { paymentId } = await user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');
    await stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);

    const again = await user.retryPayment(orderId, 'tok_ok', { key: 'p2', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['200 CAPTURED', false]);
    expect(again.payment).toMatchObject({ paymentId, attempt: 2 });
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
    expect((await storedOrder(stack, orderId)).run).toBe(2);
  });
});

test('a payment whose retry died after its write is charged by the dispatcher', async () => {
  const { orderId } = await declined();
  inject(stack, { on: transaction, times: 1, act: dieAfter });
  expect((await user.retryPayment(orderId, 'tok_ok')).status).toBe(502);
  await stack.clock.advance(DISPATCH_AFTER_MS);
  await stack.runSchedules();
  await eventually(() => user.expectStatus(orderId, 'PAYMENT_DONE'));
  expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2000']);
});

test('another user’s order does not exist', async () => {
  const failed = await withdrawn();
  productId = await newProduct(10);
  const { orderId } = await declined();
  const stranger = await Customer.of(stack);
  const answers = [
    await stranger.retryOrder(failed),
    await stranger.retryOrder('ord_nowhere'),
    await stranger.retryPayment(orderId, 'tok_ok'),
    await stranger.retryPayment('ord_nowhere', 'tok_ok'),
  ];
  expect(new Set(answers.map(({ summary }) => summary))).toEqual(new Set(['404 NOT_FOUND']));
  expect(new Set(answers.map(({ problem }) => problem.detail)).size).toBe(1);
  await user.expectStatus(failed, 'ORDER_FAILED');
  await user.expectStatus(orderId, 'PAYMENT_FAILED');
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(stack);
});
