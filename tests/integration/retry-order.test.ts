import { describe, expect, test } from 'vitest';
import { reservationWaitSeconds } from '../../statemachines/constants.ts';
import {
  anyGatewayCall,
  butFirst,
  databaseCall,
  dieAfter,
  heal,
  held,
  httpCall,
  inject,
  refuseConnection,
  stateMachineCall,
} from '../support/faults.ts';
import { expectPromisesAtRest, ordersOf, storedOrder } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import {
  type Answer,
  Customer,
  changeProduct,
  inventoryCall,
  type OrderDocument,
  stockLine,
} from '../support/shop.ts';
import { asTimeGoesOn, eventually, executions, messagesIn } from '../support/stack.ts';

const RESERVATION_TTL_MS = 600_000;
const RESERVATION_WAIT_MS = reservationWaitSeconds(RESERVATION_TTL_MS / 1000) * 1000;
const DISPATCH_AFTER_MS = 30_000;
/** An interrupted request frees its idempotency key after its function's time-out. */
const LAMBDA_TIMEOUT_MS = 20_000;

// The schedule never runs by itself; the tests run its functions.
const scene = new Scene({ RESERVATION_TTL_SECONDS: '600', SCHEDULE_SECONDS: '3600' });

const reserving = httpCall('PUT', '/inventory/reservation/');
const releasing = httpCall('DELETE', '/inventory/reservation/');

const items = (quantity = 2) => [{ productId: scene.productId, quantity }];
const eur = (amount: number) => ({ amount, currency: 'EUR' });

function replayed(answer: Answer): boolean {
  return answer.headers.get('idempotent-replayed') === 'true';
}

/** An order of two units that failed because its product was withdrawn. */
async function withdrawn(): Promise<string> {
  await changeProduct(scene.stack, scene.productId, { active: false });
  const answer = await scene.user.place(items(), { wait: 10 });
  expect(answer.summary).toBe('409 PRODUCT_UNAVAILABLE');
  expect(answer.problem.reason).toBe('PRODUCT_UNAVAILABLE');
  return answer.problem.orderId ?? '';
}

/** An order of two units whose reservation has expired. */
async function expired(): Promise<OrderDocument> {
  const { orderId } = await scene.user.reserved(scene.productId, 2);
  await scene.stack.clock.advance(RESERVATION_WAIT_MS);
  await scene.freshToken();
  const order = await eventually(() => scene.user.expectStatus(orderId, 'ORDER_FAILED'));
  expect(order.reason).toBe('RESERVATION_EXPIRED');
  return order;
}

/** An order of two units whose first payment was declined. */
async function declined(): Promise<OrderDocument> {
  const { orderId } = await scene.user.reserved(scene.productId, 2);
  expect((await scene.user.pay(orderId, 'tok_declined', { wait: 10 })).status).toBe(402);
  return scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
}

describe('retrying an order that failed', () => {
  test('because a product was withdrawn reserves it once that is back on sale', async () => {
    const orderId = await withdrawn();
    expect((await scene.user.order(orderId)).links).toHaveProperty('retryOrder');
    await changeProduct(scene.stack, scene.productId, { active: true, unitPrice: eur(1500) });

    const answer = await scene.user.retryOrder(orderId, { wait: 10 });

    expect(answer.summary, answer.text).toBe('201 PENDING_PAYMENT');
    expect(answer.headers.get('location')).toBe(`/order/${orderId}`);
    const { order } = answer;
    expect(order).toMatchObject({
      orderId,
      reason: null,
      paymentUrl: expect.stringContaining(orderId),
      // The order was never reserved before, so no price was promised.
      items: [{ productId: scene.productId, quantity: 2, unitPrice: eur(1500) }],
      total: eur(3000),
    });
    expect(order.history.slice(2).map(({ to, by }) => [to, by])).toEqual([
      ['ORDER_FAILED', 'ordersaga'],
      ['CREATED', 'user'],
      ['PENDING_RESERVING_STOCK', 'ordersaga'],
      ['PENDING_PAYMENT', 'ordersaga'],
    ]);
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      run: 2,
      revision: 2,
      heldRevision: 2,
      attempt: 0,
    });
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).payment).toMatchObject({
      status: 'CAPTURED',
      amount: eur(3000),
      attempt: 1,
    });
  });

  test('because its time was up gets all of it anew, at the price it was promised', async () => {
    const { orderId } = await expired();
    await changeProduct(scene.stack, scene.productId, { unitPrice: eur(1500) });

    const { order } = await scene.user.retryOrder(orderId, { wait: 10 });

    expect(order).toMatchObject({ status: 'PENDING_PAYMENT', total: eur(2000) });
    const retriedAt = order.history.find(({ reason }) => reason === 'ORDER_RETRIED')?.at ?? '';
    const expiresAtMs = Date.parse(order.reservationExpiresAt ?? '');
    expect(expiresAtMs).toBeGreaterThanOrEqual(Date.parse(retriedAt) + RESERVATION_TTL_MS);
    const held = (await inventoryCall(scene.stack, 'GET', orderId)).json;
    expect(held).toMatchObject({ status: 'HELD', revision: 2 });
    // Inventory holds it longer, for a payment that is begun in time.
    expect(Date.parse((held as { expiresAt: string }).expiresAt)).toBeGreaterThan(expiresAtMs);
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({ run: 2, revision: 2 });
    // The first reservation's expiry no longer matters.
    await scene.stack.clock.advance(RESERVATION_TTL_MS / 2);
    await scene.stack.runSchedules();
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).payment).toMatchObject({
      status: 'CAPTURED',
      amount: eur(2000),
    });
  });

  test('because Inventory was away reserves once it is back', async () => {
    inject(scene.stack, { on: reserving, act: refuseConnection });
    const { orderId } = (await scene.user.place(items())).order;
    const failed = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'ORDER_FAILED'),
      {
        stepSeconds: 2,
      },
    );
    expect(failed.reason).toBe('INVENTORY_UNAVAILABLE');
    heal(scene.stack);
    const answer = await scene.user.retryOrder(orderId, { wait: 10 });
    expect(answer.summary, answer.text).toBe('201 PENDING_PAYMENT');
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });

  test('is answered at once where the caller does not wait', async () => {
    const orderId = await withdrawn();
    await changeProduct(scene.stack, scene.productId, { active: true });
    const answer = await scene.user.retryOrder(orderId);
    expect(answer.summary).toBe('202 CREATED');
    expect(answer.headers.get('location')).toBe(`/order/${orderId}`);
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
  });

  test('may fail again, and be retried again', async () => {
    const orderId = await withdrawn();
    const again = await scene.user.retryOrder(orderId, { wait: 10 });
    expect(again.summary).toBe('409 PRODUCT_UNAVAILABLE');
    expect(again.problem).toMatchObject({ orderId, reason: 'PRODUCT_UNAVAILABLE' });
    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(0);
    await changeProduct(scene.stack, scene.productId, { active: true });
    expect((await scene.user.retryOrder(orderId, { wait: 10 })).summary).toBe(
      '201 PENDING_PAYMENT',
    );
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({ run: 3, revision: 3 });
    await eventually(async () => {
      expect((await executions(scene.stack, orderId)).map(({ status }) => status)).toEqual([
        'SUCCEEDED',
        'SUCCEEDED',
        'RUNNING',
      ]);
    });
  });

  test('may find that others have bought it all by now', async () => {
    const { orderId } = await expired();
    await scene.inTime(async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    });
    const other = await Customer.of(scene.stack);
    await other.reserved(scene.productId, 9);
    const answer = await scene.user.retryOrder(orderId, { wait: 10 });
    expect(answer.summary).toBe('422 OUT_OF_STOCK');
    expect(answer.problem.orderId).toBe(orderId);
    await scene.user.expectStatus(orderId, 'INVALID');
    expect(await stockLine(scene.stack, scene.productId)).toBe('1/9/0');
  });

  test('is possible until 40 of its 50 runs are used up', async () => {
    const orderId = await withdrawn();
    for (let run = 2; run <= 40; run += 1) {
      const answer = await scene.user.retryOrder(orderId, { wait: 10 });
      expect(answer.summary, `run ${String(run)}`).toBe('409 PRODUCT_UNAVAILABLE');
    }
    const { links } = await scene.user.order(orderId);
    expect(links).not.toHaveProperty('retryOrder');
    expect(links).toHaveProperty('cancel');
    expect((await scene.user.retryOrder(orderId)).summary).toBe('409 ILLEGAL_TRANSITION');
    expect((await storedOrder(scene.stack, orderId)).run).toBe(40);
  });
});

describe('what the failed run did late', () => {
  test('its release does not take the new reservation', async () => {
    const release = held();
    const call = inject(scene.stack, { on: releasing, times: 1, act: release.act });
    const { orderId } = await expired();
    await eventually(() => {
      expect(call.strikes).toBe(1);
    });
    expect((await scene.user.retryOrder(orderId, { wait: 10 })).summary).toBe(
      '201 PENDING_PAYMENT',
    );
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');

    release.letGo();

    await eventually(async () => {
      expect((await executions(scene.stack, orderId))[0]?.status).toBe('SUCCEEDED');
    });
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    const order = await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    // A kept hold does not keep the failed run's expiry.
    expect(Date.parse(order.reservationExpiresAt ?? '')).toBeGreaterThan(
      Date.parse(order.history.at(-1)?.at ?? '') + RESERVATION_TTL_MS / 2,
    );
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/0/2');
  });

  test('its queued release does not take the new reservation', async () => {
    inject(scene.stack, { on: releasing, act: refuseConnection });
    const { orderId } = await expired();
    await asTimeGoesOn(scene.stack, () => {
      expect(messagesIn(scene.stack, 'CompensationQueue')).toContainEqual(
        expect.objectContaining({ orderId, run: 1 }),
      );
      return Promise.resolve();
    });
    expect((await scene.user.retryOrder(orderId, { wait: 10 })).summary).toBe(
      '201 PENDING_PAYMENT',
    );

    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.pollQueues();
      expect(messagesIn(scene.stack, 'CompensationQueue')).toEqual([]);
    });

    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });

  test('its reservation is refused once the new one stands', async () => {
    inject(scene.stack, { on: reserving, act: refuseConnection });
    const { orderId } = (await scene.user.place(items())).order;
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'ORDER_FAILED'), {
      stepSeconds: 2,
    });
    heal(scene.stack);
    expect((await scene.user.retryOrder(orderId, { wait: 10 })).summary).toBe(
      '201 PENDING_PAYMENT',
    );
    const late = await inventoryCall(scene.stack, 'PUT', orderId, {
      revision: 1,
      holdSeconds: 900,
      items: items(5),
    });
    expect(late.summary).toBe('409 STALE_REVISION');
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });
});

describe('in every other status retrying the order is refused:', () => {
  async function refusedIn(orderId: string, status: string): Promise<void> {
    const { history, links } = await scene.user.expectStatus(orderId, status);
    expect(links).not.toHaveProperty('retryOrder');
    const answer = await scene.user.retryOrder(orderId);
    expect(answer.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(answer.problem.orderId).toBe(orderId);
    expect((await scene.user.order(orderId)).history).toEqual(history);
    expect((await storedOrder(scene.stack, orderId)).run).toBe(1);
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

  test('PENDING_RESERVING_STOCK', async () => {
    const inventory = held();
    inject(scene.stack, { on: reserving, act: inventory.act });
    const { orderId } = (await scene.user.place(items())).order;
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));
    await refusedIn(orderId, 'PENDING_RESERVING_STOCK');
    inventory.letGo();
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
  });

  test('PENDING_PAYMENT', async () => {
    await refusedIn((await scene.user.reserved(scene.productId)).orderId, 'PENDING_PAYMENT');
  });

  test('PAYMENT_IN_PROGRESS and PAYMENT_DONE', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const gateway = held();
    inject(scene.stack, { on: anyGatewayCall, act: gateway.act });
    await scene.user.pay(orderId, 'tok_ok');
    await refusedIn(orderId, 'PAYMENT_IN_PROGRESS');
    gateway.letGo();
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    await refusedIn(orderId, 'PAYMENT_DONE');
  });

  test('PAYMENT_FAILED', async () => {
    await refusedIn((await declined()).orderId, 'PAYMENT_FAILED');
  });

  test('INVALID', async () => {
    const { orderId = '' } = (await scene.user.place(items(11), { wait: 10 })).problem;
    await refusedIn(orderId, 'INVALID');
  });

  test('ORDER_CANCELLED', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await scene.user.cancel(orderId);
    await refusedIn(orderId, 'ORDER_CANCELLED');
  });
});

describe('the Idempotency-Key that an order was placed with', () => {
  test('retries it once it has failed, though its first answer was stored', async () => {
    await changeProduct(scene.stack, scene.productId, { active: false });
    const first = await scene.user.place(items(), { key: 'k1' });
    expect(first.status).toBe(202);
    const { orderId } = first.order;
    await eventually(() => scene.user.expectStatus(orderId, 'ORDER_FAILED'));
    await changeProduct(scene.stack, scene.productId, { active: true });

    const again = await scene.user.place(items(), { key: 'k1', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect(again.order.orderId).toBe(orderId);
    expect(await ordersOf(scene.stack, scene.user.userId)).toHaveLength(1);
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({ run: 2, revision: 2 });
    // A live order is not retried.
    await scene.user.place(items(), { key: 'k1', wait: 10 });
    expect((await storedOrder(scene.stack, orderId)).run).toBe(2);
  });

  test('retries it also after it was ready to be paid for a while', async () => {
    const first = await scene.user.place(items(), { key: 'k1', wait: 10 });
    expect(first.summary).toBe('201 PENDING_PAYMENT');
    await scene.stack.clock.advance(RESERVATION_WAIT_MS);
    await scene.freshToken();
    await eventually(() => scene.user.expectStatus(first.order.orderId, 'ORDER_FAILED'));

    const again = await scene.user.place(items(), { key: 'k1', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect(again.order.orderId).toBe(first.order.orderId);
  });

  test('sent ten times at once retries it once', async () => {
    await changeProduct(scene.stack, scene.productId, { active: false });
    const { orderId = '' } = (await scene.user.place(items(), { key: 'k1', wait: 10 })).problem;
    await changeProduct(scene.stack, scene.productId, { active: true });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => scene.user.place(items(), { key: 'k1', wait: 10 })),
    );
    const summaries = new Set(answers.map(({ summary }) => summary));
    summaries.delete('409 REQUEST_IN_PROGRESS');
    expect([...summaries]).toEqual(['201 PENDING_PAYMENT']);
    expect((await storedOrder(scene.stack, orderId)).run).toBe(2);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
  });
});

describe('retrying an order with an Idempotency-Key', () => {
  test('is done once and replayed', async () => {
    const orderId = await withdrawn();
    await changeProduct(scene.stack, scene.productId, { active: true });
    const first = await scene.user.retryOrder(orderId, { key: 'r1', wait: 10 });
    expect([first.summary, replayed(first)]).toEqual(['201 PENDING_PAYMENT', false]);
    const again = await scene.user.retryOrder(orderId, { key: 'r1', wait: 10 });
    expect([again.text, replayed(again)]).toEqual([first.text, true]);
    expect((await storedOrder(scene.stack, orderId)).run).toBe(2);
  });

  test('that failed is tried again with the same key', async () => {
    const orderId = await withdrawn();
    const failed = await scene.user.retryOrder(orderId, { key: 'r1', wait: 10 });
    expect(failed.summary).toBe('409 PRODUCT_UNAVAILABLE');
    await changeProduct(scene.stack, scene.productId, { active: true });

    const again = await scene.user.retryOrder(orderId, { key: 'r1', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect((await storedOrder(scene.stack, orderId)).run).toBe(3);
  });

  test('that failed after its answer was stored is tried again with the same key', async () => {
    const orderId = await withdrawn();
    expect((await scene.user.retryOrder(orderId, { key: 'r1' })).status).toBe(202);
    await eventually(() => scene.user.expectStatus(orderId, 'ORDER_FAILED'));
    await changeProduct(scene.stack, scene.productId, { active: true });

    const again = await scene.user.retryOrder(orderId, { key: 'r1', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect((await storedOrder(scene.stack, orderId)).run).toBe(3);
  });

  test('whose handler died after its write is done once', async () => {
    const orderId = await withdrawn();
    await scene.inTime(async () => {
      expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
    });
    await changeProduct(scene.stack, scene.productId, { active: true });
    inject(scene.stack, {
      on: butFirst(databaseCall('PutItem', 'orders')),
      times: 1,
      act: dieAfter,
    });
    expect((await scene.user.retryOrder(orderId, { key: 'r1', wait: 10 })).status).toBe(502);
    await scene.user.expectStatus(orderId, 'CREATED');
    await scene.stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);

    const again = await scene.user.retryOrder(orderId, { key: 'r1', wait: 10 });

    expect([again.summary, replayed(again)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({ run: 2, revision: 2 });
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
  });
});

test('an order whose retry died after its write is started by the dispatcher', async () => {
  const orderId = await withdrawn();
  await scene.inTime(async () => {
    expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
  });
  await changeProduct(scene.stack, scene.productId, { active: true });
  inject(scene.stack, { on: butFirst(databaseCall('PutItem', 'orders')), times: 1, act: dieAfter });
  expect((await scene.user.retryOrder(orderId)).status).toBe(502);
  await scene.stack.clock.advance(DISPATCH_AFTER_MS);
  await scene.stack.runSchedules();
  await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
  expect((await storedOrder(scene.stack, orderId)).run).toBe(2);
});

test('another user’s order does not exist', async () => {
  const failed = await withdrawn();
  const stranger = await Customer.of(scene.stack);
  const answers = [await stranger.retryOrder(failed), await stranger.retryOrder('ord_nowhere')];
  expect(answers.map(({ summary }) => summary)).toEqual(['404 NOT_FOUND', '404 NOT_FOUND']);
  expect(new Set(answers.map(({ problem }) => problem.detail)).size).toBe(1);
  await scene.user.expectStatus(failed, 'ORDER_FAILED');
});

describe('a double click on the retry of an order', () => {
  test.each([
    ['without waiting', undefined],
    ['waiting for the stock', 10],
  ])('%s gets an answer about the same run twice', async (_what, wait) => {
    const orderId = await withdrawn();
    await changeProduct(scene.stack, scene.productId, { active: true });
    const answers = await Promise.all([1, 2].map(() => scene.user.retryOrder(orderId, { wait })));
    for (const answer of answers) {
      expect(answer.order.orderId).toBe(orderId);
      if (wait !== undefined) expect(answer.summary).toBe('201 PENDING_PAYMENT');
    }
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
    // The second click may come when the first is answered already.
    expect((await scene.user.retryOrder(orderId, { wait: 10 })).summary).toBe(
      '201 PENDING_PAYMENT',
    );
    const order = await scene.user.order(orderId);
    expect(order.history.filter(({ reason }) => reason === 'ORDER_RETRIED')).toHaveLength(1);
    expect(await executions(scene.stack, orderId)).toHaveLength(2);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
  });

  test('is told twice that the order is refused for good', async () => {
    const orderId = await withdrawn();
    await changeProduct(scene.stack, scene.productId, { active: true });
    await (await Customer.of(scene.stack)).reserved(scene.productId, 9);
    const click = () => scene.user.retryOrder(orderId, { wait: 10 });
    expect((await click()).summary).toBe('422 OUT_OF_STOCK');
    expect((await click()).summary).toBe('422 OUT_OF_STOCK');
  });

  test('is no retry of an order that has gone on since', async () => {
    const orderId = await withdrawn();
    await changeProduct(scene.stack, scene.productId, { active: true });
    await scene.user.retryOrder(orderId, { wait: 10 });
    await scene.user.modify(orderId, items(1), { wait: 10 });
    expect((await scene.user.retryOrder(orderId)).summary).toBe('409 ILLEGAL_TRANSITION');
    await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
    expect((await scene.user.retryOrder(orderId)).summary).toBe('409 ILLEGAL_TRANSITION');
  });
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
