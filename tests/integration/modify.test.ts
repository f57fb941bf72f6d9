import { beforeEach, describe, expect, test } from 'vitest';
import {
  after,
  anyGatewayCall,
  anyInventoryCall,
  dieAfter,
  heal,
  held,
  httpCall,
  inject,
  loseAnswer,
  refuseConnection,
  stateMachineCall,
  transaction,
} from '../support/faults.ts';
import { expectPromisesAtRest, ordersOf, storedOrder } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import {
  type Answer,
  Customer,
  changeProduct,
  chargesOf,
  type Items,
  inventoryCall,
  newProduct,
  type OrderDocument,
  stockLine,
} from '../support/shop.ts';
import { abortExecution, asTimeGoesOn, eventually, messagesIn } from '../support/stack.ts';

const RESERVATION_TTL_MS = 1_800_000;
const DISPATCH_AFTER_MS = 30_000;
/** How long a request may run before its key is free again: its function's time-out. */
const LAMBDA_TIMEOUT_MS = 20_000;

// No schedule comes in between; the tests run it where they want it.
const scene = new Scene({ RESERVATION_TTL_SECONDS: '1800', SCHEDULE_SECONDS: '3600' });
let otherId: string;

beforeEach(async () => {
  otherId = await newProduct(10);
});

const reserving = httpCall('PUT', '/inventory/reservation/');
const extending = httpCall('POST', '/extend$');

const of = (product: string, quantity: number): Items => [{ productId: product, quantity }];
const eur = (amount: number) => ({ amount, currency: 'EUR' });

/** What a refused modification must leave as it was. */
function standing({ items, total, reservationExpiresAt }: OrderDocument) {
  return { items, total, reservationExpiresAt };
}

function replayed(answer: Answer): boolean {
  return answer.headers.get('idempotent-replayed') === 'true';
}

async function stockLines(): Promise<string> {
  return `${await stockLine(scene.stack, scene.productId)} ${await stockLine(scene.stack, otherId)}`;
}

async function charges(orderId: string): Promise<string[]> {
  return (await chargesOf(scene.stack, orderId)).map(
    ({ status, amount }) => `${status} ${String(amount.amount)}`,
  );
}

/** Pays to the end, and the gateway has captured the order's total, once. */
async function payInFull(orderId: string, total: number): Promise<void> {
  const paid = await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
  expect(paid.summary, paid.text).toBe('200 CAPTURED');
  expect(paid.payment.amount).toEqual(eur(total));
  expect((await scene.user.expectStatus(orderId, 'PAYMENT_DONE')).total).toEqual(eur(total));
  expect((await charges(orderId)).filter((one) => one.startsWith('CAPTURED'))).toEqual([
    `CAPTURED ${String(total)}`,
  ]);
}

/** Time goes on and the schedules and queues with it, until the order has got somewhere. */
function dispatchedUntil(orderId: string, ...statuses: readonly string[]): Promise<OrderDocument> {
  return asTimeGoesOn(
    scene.stack,
    async () => {
      await scene.stack.runSchedules();
      await scene.stack.pollQueues();
      return scene.user.expectStatus(orderId, ...statuses);
    },
    { stepSeconds: 10 },
  );
}

/** Until a change of the items has its outcome. */
function decided(orderId: string, status: 'APPLIED' | 'REJECTED'): Promise<OrderDocument> {
  return eventually(async () => {
    const order = await scene.user.order(orderId);
    expect(order.modification?.status, JSON.stringify(order.history)).toBe(status);
    expect(order.status).not.toBe('PENDING_RESERVING_STOCK');
    return order;
  });
}

/** Until nothing is written any more of an order that rests. */
function released(orderId: string): Promise<void> {
  return eventually(async () => {
    expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
  });
}

/** An order whose payment is under way, its outcome unknown. */
async function paying(token: string, quantity = 2): Promise<OrderDocument> {
  const { orderId } = await scene.user.reserved(scene.productId, quantity);
  const { paymentId } = (await scene.user.pay(orderId, token)).payment;
  await eventually(async () => {
    expect((await scene.user.payment(paymentId)).status).toBe('PENDING');
  });
  return scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS');
}

async function paymentFailed(quantity = 2): Promise<OrderDocument> {
  const { orderId } = await scene.user.reserved(scene.productId, quantity);
  const answer = await scene.user.pay(orderId, 'tok_declined', { wait: 10 });
  expect(answer.summary).toBe('402 PAYMENT_DECLINED');
  return scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
}

describe('an order that waits for its payment', () => {
  test.each<[string, () => Items, number, string]>([
    ['more of a product', () => of(scene.productId, 5), 5000, '5/5/0 10/0/0'],
    ['all there is of it', () => of(scene.productId, 10), 10_000, '0/10/0 10/0/0'],
    ['fewer of a product', () => of(scene.productId, 1), 1000, '9/1/0 10/0/0'],
    ['another product', () => of(otherId, 3), 2100, '10/0/0 7/3/0'],
    [
      'another product beside',
      () => [...of(otherId, 1), ...of(scene.productId, 2)],
      2700,
      '8/2/0 9/1/0',
    ],
    [
      'equal products',
      () => [...of(scene.productId, 1), ...of(scene.productId, 2)],
      3000,
      '7/3/0 10/0/0',
    ],
    ['the same again', () => of(scene.productId, 2), 2000, '8/2/0 10/0/0'],
  ])('is changed to %s', async (_what, items, total, stock) => {
    const before = await scene.user.reserved(scene.productId, 2);
    const { orderId } = before;
    await changeProduct(scene.stack, scene.productId, { unitPrice: eur(1500) });
    await changeProduct(scene.stack, otherId, { unitPrice: eur(700) });
    await scene.stack.clock.advance(60_000);

    const answer = await scene.user.modify(orderId, items(), { wait: 10 });

    expect(answer.summary, answer.text).toBe('200 PENDING_PAYMENT');
    expect(answer.headers.get('etag')).toBe(`"${String(answer.order.version)}"`);
    const order = await scene.user.order(orderId);
    expect(order).toEqual(answer.order);
    expect(order.version).toBeGreaterThan(before.version);
    expect(order).toMatchObject({
      total: eur(total),
      modification: { status: 'APPLIED', code: null },
      // The user was promised no more time than before.
      reservationExpiresAt: before.reservationExpiresAt,
    });
    // What was reserved before keeps its price; what is new has today's.
    for (const { productId: id, unitPrice } of order.items) {
      expect(unitPrice).toEqual(eur(id === scene.productId ? 1000 : 700));
    }
    expect(order.history.slice(3).map(({ to, by }) => [to, by])).toEqual([
      ['PENDING_RESERVING_STOCK', scene.user.userId],
      ['PENDING_PAYMENT', 'ordersaga'],
    ]);
    expect(await stockLines()).toBe(stock);
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      revision: 2,
      heldRevision: 2,
      run: 1,
      attempt: 0,
      modifications: 1,
    });
    await payInFull(orderId, total);
  });

  test('pays today’s price for a product that was given up in between', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await changeProduct(scene.stack, scene.productId, { unitPrice: eur(1500) });
    await scene.user.modify(orderId, of(otherId, 1), { wait: 10 });
    const { order } = await scene.user.modify(orderId, of(scene.productId, 2), { wait: 10 });
    expect(order.total).toEqual(eur(3000));
    expect(await stockLines()).toBe('8/2/0 10/0/0');
    await payInFull(orderId, 3000);
  });

  test('can keep a product that was withdrawn meanwhile, and give some back', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 3);
    await changeProduct(scene.stack, scene.productId, { active: false });
    const { summary } = await scene.user.modify(
      orderId,
      [...of(scene.productId, 2), ...of(otherId, 1)],
      {
        wait: 10,
      },
    );
    expect(summary).toBe('200 PENDING_PAYMENT');
    expect(await stockLines()).toBe('8/2/0 9/1/0');
    await payInFull(orderId, 3000);
  });

  test('shows what it was until the change is decided, and nothing else may come first', async () => {
    const before = await scene.user.reserved(scene.productId, 2);
    const { orderId } = before;
    const inventory = held();
    const call = inject(scene.stack, { on: reserving, act: inventory.act });

    const answer = await scene.user.modify(orderId, of(scene.productId, 5));

    expect(answer.summary).toBe('202 PENDING_RESERVING_STOCK');
    expect(answer.order).toMatchObject({
      items: before.items,
      total: before.total,
      modification: { status: 'PENDING', code: null },
    });
    await eventually(() => {
      expect(call.strikes).toBe(1);
    });
    expect(await scene.user.order(orderId)).toEqual(answer.order);
    const again = await scene.user.modify(orderId, of(scene.productId, 4));
    expect(again.summary).toBe('409 MODIFICATION_PENDING');
    expect(again.problem.orderId).toBe(orderId);
    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(0);
    const pay = await scene.user.pay(orderId, 'tok_ok');
    expect(pay.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(Number(pay.headers.get('retry-after'))).toBeGreaterThan(0);

    inventory.letGo();
    await decided(orderId, 'APPLIED');
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      modifications: 1,
      revision: 2,
    });
    await payInFull(orderId, 5000);
  });

  test('is changed by the dispatcher where the saga did not hear of it', async () => {
    const before = await scene.user.reserved(scene.productId, 2);
    const { orderId } = before;
    inject(scene.stack, {
      on: stateMachineCall('SendTaskSuccess'),
      times: 1,
      act: refuseConnection,
    });
    expect((await scene.user.modify(orderId, of(scene.productId, 5))).status).toBe(202);
    await scene.stack.runSchedules();
    await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');

    await scene.stack.clock.advance(DISPATCH_AFTER_MS);
    await scene.stack.runSchedules();

    const order = await decided(orderId, 'APPLIED');
    expect(order.reservationExpiresAt).toBe(before.reservationExpiresAt);
    expect((await storedOrder(scene.stack, orderId)).run).toBe(1);
    await payInFull(orderId, 5000);
  });

  test('can be changed no more once its time is up', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await abortExecution(scene.stack, orderId);
    await scene.stack.clock.advance(RESERVATION_TTL_MS);
    await scene.freshToken();
    const order = await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    expect(order.links).not.toHaveProperty('modify');
    const answer = await scene.user.modify(orderId, of(scene.productId, 2));
    expect(answer.summary).toBe('409 RESERVATION_EXPIRED');
    await dispatchedUntil(orderId, 'ORDER_FAILED');
  });

  test('still expires in time after it was changed', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.stack.clock.advance(RESERVATION_TTL_MS - 60_000);
    await scene.user.modify(orderId, of(scene.productId, 5), { wait: 10 });
    await scene.stack.clock.advance(50_000);
    await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    await scene.stack.clock.advance(20_000);
    await scene.freshToken();

    const order = await dispatchedUntil(orderId, 'ORDER_FAILED');

    expect(order.reason).toBe('RESERVATION_EXPIRED');
    const [expired] = order.history.slice(-1);
    expect(Date.parse(expired?.at ?? '')).toBeLessThan(
      scene.stack.clock.now() + RESERVATION_TTL_MS,
    );
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.pollQueues();
      expect(await stockLines()).toBe('10/0/0 10/0/0');
    });
  });
});

describe('a change that is refused as', () => {
  /** What is asked for instead of two of `productId`. */
  type Wish = () => Items | Promise<Items>;

  const refusals: readonly [string, Wish][] = [
    ['OUT_OF_STOCK', () => of(scene.productId, 11)],
    ['OUT_OF_STOCK', () => [...of(scene.productId, 1), ...of(otherId, 11)]],
    ['UNKNOWN_PRODUCT', () => of('prod-nowhere', 1)],
    ['PRODUCT_UNAVAILABLE', async () => of(await newProduct(5, { active: false }), 1)],
    [
      'MIXED_CURRENCIES',
      async () => [...of(scene.productId, 1), ...of(await newProduct(5, { currency: 'USD' }), 1)],
    ],
  ];

  async function refused(code: string, wish: Wish): Promise<OrderDocument> {
    const before = await scene.user.reserved(scene.productId, 2);
    const { orderId } = before;

    const answer = await scene.user.modify(orderId, await wish(), { wait: 10 });

    expect(answer.summary, answer.text).toBe('409 MODIFICATION_REJECTED');
    expect(answer.problem).toMatchObject({ orderId, reason: code });
    const order = await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    expect(standing(order)).toEqual(standing(before));
    expect(order.modification).toEqual({ status: 'REJECTED', code });
    expect(order.history.at(-1)).toMatchObject({
      from: 'PENDING_RESERVING_STOCK',
      to: 'PENDING_PAYMENT',
      reason: 'MODIFICATION_REJECTED',
    });
    expect(Object.keys(order.links)).toEqual(Object.keys(before.links));
    expect(await stockLines()).toBe('8/2/0 10/0/0');
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      revision: 2,
      heldRevision: 1,
      modifications: 1,
      run: 1,
    });
    return order;
  }

  test.each(refusals)('%s leaves an order that can be paid as it was', async (code, wish) => {
    const { orderId } = await refused(code, wish);
    await payInFull(orderId, 2000);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/0/2');
    expect((await inventoryCall(scene.stack, 'GET', orderId)).json).toMatchObject({
      status: 'CONFIRMED',
      revision: 1,
    });
  });

  test('OUT_OF_STOCK leaves an order that can be changed again', async () => {
    const { orderId } = await refused('OUT_OF_STOCK', () => of(scene.productId, 11));
    const answer = await scene.user.modify(orderId, of(scene.productId, 10), { wait: 10 });
    expect(answer.summary, answer.text).toBe('200 PENDING_PAYMENT');
    expect(answer.order.modification).toEqual({ status: 'APPLIED', code: null });
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      revision: 3,
      heldRevision: 3,
      modifications: 2,
    });
    await payInFull(orderId, 10_000);
  });

  test('OUT_OF_STOCK twice leaves an order that can be paid', async () => {
    const { orderId } = await refused('OUT_OF_STOCK', () => of(scene.productId, 11));
    const again = await scene.user.modify(orderId, of(otherId, 11), { wait: 10 });
    expect(again.summary).toBe('409 MODIFICATION_REJECTED');
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({ revision: 3, heldRevision: 1 });
    await payInFull(orderId, 2000);
  });

  test('OUT_OF_STOCK leaves an order whose cancellation gives everything back', async () => {
    const { orderId } = await refused('OUT_OF_STOCK', () => of(scene.productId, 11));
    expect((await scene.user.cancel(orderId)).summary).toBe('200 ORDER_CANCELLED');
    await eventually(async () => {
      expect(await stockLines()).toBe('10/0/0 10/0/0');
    });
  });

  test('OUT_OF_STOCK leaves an order whose declined payment gives everything back', async () => {
    const { orderId } = await refused('OUT_OF_STOCK', () => of(scene.productId, 11));
    expect((await scene.user.pay(orderId, 'tok_declined', { wait: 10 })).status).toBe(402);
    expect(await stockLines()).toBe('10/0/0 10/0/0');
    const retried = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect(retried.summary).toBe('200 CAPTURED');
    expect(retried.payment.amount).toEqual(eur(2000));
  });

  test('OUT_OF_STOCK is told at once to whoever does not wait, and later on the order', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const answer = await scene.user.modify(orderId, of(scene.productId, 11));
    expect(answer.summary).toBe('202 PENDING_RESERVING_STOCK');
    const order = await decided(orderId, 'REJECTED');
    expect(order.modification).toEqual({ status: 'REJECTED', code: 'OUT_OF_STOCK' });
    await payInFull(orderId, 2000);
  });

  test('OUT_OF_STOCK waits for Inventory to say what is held', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, {
      on: httpCall('GET', '/inventory/reservation/'),
      times: 3,
      act: refuseConnection,
    });
    await scene.user.modify(orderId, of(scene.productId, 11));
    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'),
      {
        stepSeconds: 1,
      },
    );
    expect(order.modification).toEqual({ status: 'REJECTED', code: 'OUT_OF_STOCK' });
    await payInFull(orderId, 2000);
  });

  test('OUT_OF_STOCK after the old reservation was lost fails the order', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, {
      on: reserving,
      times: 1,
      act: after(() => inventoryCall(scene.stack, 'DELETE', `${orderId}?revision=1`)),
    });

    const answer = await scene.user.modify(orderId, of(scene.productId, 11), { wait: 10 });

    expect(answer.summary).toBe('503 ORDER_FAILED');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    const order = await scene.user.expectStatus(orderId, 'ORDER_FAILED');
    expect(order).toMatchObject({
      reason: 'RESERVATION_EXPIRED',
      modification: { status: 'REJECTED' },
    });
    await eventually(async () => {
      expect(await stockLines()).toBe('10/0/0 10/0/0');
    });
    // The old items stand, at the price that the user has seen.
    await changeProduct(scene.stack, scene.productId, { unitPrice: eur(1500) });
    const retried = await scene.user.retryOrder(orderId, { wait: 10 });
    expect(retried.summary, retried.text).toBe('201 PENDING_PAYMENT');
    await payInFull(orderId, 2000);
  });
});

test('a change whose old reservation was lost is applied where there is stock, in the old time', async () => {
  const before = await scene.user.reserved(scene.productId, 2);
  const { orderId } = before;
  await scene.stack.clock.advance(60_000);
  inject(scene.stack, {
    on: reserving,
    times: 1,
    act: after(() => inventoryCall(scene.stack, 'DELETE', `${orderId}?revision=1`)),
  });
  const { order } = await scene.user.modify(orderId, of(scene.productId, 3), { wait: 10 });
  expect(order).toMatchObject({
    status: 'PENDING_PAYMENT',
    total: eur(3000),
    reservationExpiresAt: before.reservationExpiresAt,
  });
  await payInFull(orderId, 3000);
});

describe('a change whose reservation', () => {
  test('is made but never answered is found at Inventory and adopted', async () => {
    const before = await scene.user.reserved(scene.productId, 2);
    const { orderId } = before;
    await changeProduct(scene.stack, otherId, { unitPrice: eur(700) });
    const lost = inject(scene.stack, { on: reserving, act: loseAnswer });

    await scene.user.modify(orderId, [...of(scene.productId, 1), ...of(otherId, 2)]);
    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'),
      {
        stepSeconds: 2,
      },
    );

    expect(lost.strikes).toBe(6);
    expect(order).toMatchObject({
      modification: { status: 'APPLIED', code: null },
      total: eur(2400),
      reservationExpiresAt: before.reservationExpiresAt,
    });
    expect(await stockLines()).toBe('9/1/0 8/2/0');
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({ revision: 2, heldRevision: 2 });
    heal(scene.stack);
    await payInFull(orderId, 2400);
  });

  test('never arrives is refused, and the old one stands', async () => {
    const before = await scene.user.reserved(scene.productId, 2);
    const { orderId } = before;
    inject(scene.stack, { on: reserving, act: refuseConnection });

    await scene.user.modify(orderId, of(scene.productId, 5));
    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'),
      {
        stepSeconds: 2,
      },
    );

    expect(order.modification).toEqual({ status: 'REJECTED', code: 'INVENTORY_UNAVAILABLE' });
    expect(standing(order)).toEqual(standing(before));
    expect(await stockLines()).toBe('8/2/0 10/0/0');
    heal(scene.stack);
    await payInFull(orderId, 2000);
  });

  test('arrives after it was given up charges nothing that the user did not see', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, { on: reserving, act: refuseConnection });
    await scene.user.modify(orderId, of(scene.productId, 5));
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'), {
      stepSeconds: 2,
    });
    heal(scene.stack);
    const late = await inventoryCall(scene.stack, 'PUT', orderId, {
      revision: 2,
      items: of(scene.productId, 5),
    });
    expect(late.summary).toBe('200 HELD');

    const paid = await scene.user.pay(orderId, 'tok_ok', { wait: 10 });

    expect(paid.summary).toBe('402 PAYMENT_FAILED');
    expect(paid.problem.reason).toBe('RESERVATION_EXPIRED');
    expect(await charges(orderId)).toEqual([]);
    await eventually(async () => {
      expect(await stockLines()).toBe('10/0/0 10/0/0');
    });
    const retried = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect(retried.summary, retried.text).toBe('200 CAPTURED');
    expect(await charges(orderId)).toEqual(['CAPTURED 2000']);
    expect(await stockLines()).toBe('8/0/2 10/0/0');
  });

  test('is asked for while Inventory is gone altogether fails the order, with a dead letter', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, { on: anyInventoryCall, act: refuseConnection });

    await scene.user.modify(orderId, of(scene.productId, 5));
    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'ORDER_FAILED'),
      {
        stepSeconds: 2,
      },
    );

    expect(order).toMatchObject({
      reason: 'INVENTORY_UNAVAILABLE',
      modification: { status: 'REJECTED', code: 'INVENTORY_UNAVAILABLE' },
      total: eur(2000),
    });
    await eventually(() => {
      expect(messagesIn(scene.stack, 'SagaDeadLetterQueue')).toContainEqual(
        expect.objectContaining({ orderId, step: 'reserve-stock', error: 'InventoryUnavailable' }),
      );
    });
    // It stays owed for as long as Inventory is away.
    await asTimeGoesOn(scene.stack, () => {
      const compensations = messagesIn(scene.stack, 'CompensationQueue');
      expect(compensations).toContainEqual(expect.objectContaining({ orderId }));
      return Promise.resolve();
    });
    expect(await stockLines()).toBe('8/2/0 10/0/0');

    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.pollQueues();
      expect(await stockLines()).toBe('10/0/0 10/0/0');
      expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
    });
  });
});

describe('an order that is being paid', () => {
  test('and can still be voided is changed, and then paid once', async () => {
    const before = await paying('tok_never_captured');
    const { orderId } = before;
    await changeProduct(scene.stack, scene.productId, { unitPrice: eur(1500) });
    await changeProduct(scene.stack, otherId, { unitPrice: eur(700) });

    const answer = await scene.user.modify(
      orderId,
      [...of(scene.productId, 1), ...of(otherId, 1)],
      {
        wait: 10,
      },
    );

    expect(answer.summary, answer.text).toBe('200 PENDING_PAYMENT');
    expect(answer.order).toMatchObject({
      total: eur(1700),
      modification: { status: 'APPLIED', code: null },
      reservationExpiresAt: before.reservationExpiresAt,
    });
    expect(answer.order.history.slice(4).map(({ to, reason }) => `${to} ${reason}`)).toEqual([
      'PENDING_RESERVING_STOCK PAYMENT_VOIDED',
      'PENDING_PAYMENT STOCK_RESERVED',
    ]);
    expect(await scene.user.payment(before.paymentId ?? '')).toMatchObject({ status: 'VOIDED' });
    expect(await stockLines()).toBe('9/1/0 9/1/0');
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      revision: 2,
      heldRevision: 2,
      run: 1,
      attempt: 1,
      modifications: 1,
    });
    await payInFull(orderId, 1700);
    expect(await charges(orderId)).toEqual(['VOIDED 2000', 'CAPTURED 1700']);
    expect((await storedOrder(scene.stack, orderId)).attempt).toBe(2);
  });

  test('and was captured already is not changed', async () => {
    const before = await paying('tok_ack_lost');
    const { orderId } = before;

    const answer = await scene.user.modify(orderId, of(scene.productId, 5), { wait: 10 });

    expect(answer.summary, answer.text).toBe('409 MODIFICATION_REJECTED');
    expect(answer.problem.reason).toBe('PAYMENT_ALREADY_CAPTURED');
    const order = await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    expect(order).toMatchObject({
      items: before.items,
      total: eur(2000),
      modification: { status: 'REJECTED', code: 'PAYMENT_ALREADY_CAPTURED' },
      refunds: [],
    });
    expect(await charges(orderId)).toEqual(['CAPTURED 2000']);
    expect(await stockLines()).toBe('8/0/2 10/0/0');
  });

  test.each([
    ['tok_ok', 'PAYMENT_DONE', 'REJECTED', ['CAPTURED 2000'], '8/0/2 10/0/0'],
    ['tok_declined', 'PAYMENT_FAILED', 'REJECTED', ['DECLINED 2000'], '10/0/0 10/0/0'],
    ['tok_never_captured', 'PENDING_PAYMENT', 'APPLIED', ['VOIDED 2000'], '5/5/0 10/0/0'],
  ])('and is changed just before %s is charged becomes %s', async (...row) => {
    const [token, status, outcome, charged, stock] = row;
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const answers: Answer[] = [];
    inject(scene.stack, {
      on: extending,
      times: 1,
      act: after(async () =>
        answers.push(await scene.user.modify(orderId, of(scene.productId, 5))),
      ),
    });

    await scene.user.pay(orderId, token);

    const order = await eventually(() => scene.user.expectStatus(orderId, status));
    expect(answers.map(({ summary }) => summary)).toEqual(['202 PAYMENT_IN_PROGRESS']);
    expect(order.modification?.status).toBe(outcome);
    expect(await charges(orderId)).toEqual(charged);
    expect(await stockLines()).toBe(stock);
    if (status === 'PENDING_PAYMENT') await payInFull(orderId, 5000);
  });

  test('and was not charged yet is never charged at the old total', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, {
      on: stateMachineCall('SendTaskSuccess'),
      times: 1,
      act: refuseConnection,
    });
    const { paymentId } = (await scene.user.pay(orderId, 'tok_ok')).payment;

    const answer = await scene.user.modify(orderId, of(scene.productId, 5));

    expect(answer.summary).toBe('202 PAYMENT_IN_PROGRESS');
    expect(answer.order).toMatchObject({ total: eur(2000), modification: { status: 'PENDING' } });
    await dispatchedUntil(orderId, 'PENDING_PAYMENT');
    expect(await scene.user.payment(paymentId)).toMatchObject({ status: 'VOIDED' });
    expect(await charges(orderId)).toEqual([]);
    await payInFull(orderId, 5000);
  });

  test('through a gateway that does not answer for a while is asked about again', async () => {
    const { orderId } = await paying('tok_never_captured');
    const outage = inject(scene.stack, { on: anyGatewayCall, times: 3, act: refuseConnection });

    await scene.user.modify(orderId, of(scene.productId, 5));
    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'),
      {
        stepSeconds: 1,
      },
    );

    expect(outage.strikes).toBe(3);
    expect(order).toMatchObject({ total: eur(5000), modification: { status: 'APPLIED' } });
    await payInFull(orderId, 5000);
    expect(await charges(orderId)).toEqual(['VOIDED 2000', 'CAPTURED 5000']);
  });

  test('through a gateway whose void was done but not answered is changed', async () => {
    const { orderId } = await paying('tok_never_captured');
    const lost = inject(scene.stack, { on: httpCall('POST', '/void$'), times: 2, act: loseAnswer });
    await scene.user.modify(orderId, of(scene.productId, 5));
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'), {
      stepSeconds: 1,
    });
    // The second look finds it voided, and voids nothing again.
    expect(lost.strikes).toBe(1);
    await payInFull(orderId, 5000);
  });

  test('through a gateway that stays away fails, and the change with it', async () => {
    const { orderId, paymentId } = await paying('tok_never_captured');
    inject(scene.stack, { on: anyGatewayCall, act: refuseConnection });

    await scene.user.modify(orderId, of(scene.productId, 5));
    const order = await asTimeGoesOn(scene.stack, () =>
      scene.user.expectStatus(orderId, 'PAYMENT_FAILED'),
    );

    expect(order).toMatchObject({
      reason: 'PAYMENT_UNCONFIRMED',
      total: eur(2000),
      modification: { status: 'REJECTED', code: 'PAYMENT_UNCONFIRMED' },
    });
    expect(await stockLines()).toBe('10/0/0 10/0/0');
    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.pollQueues();
      expect((await scene.user.payment(paymentId ?? '')).status).toBe('VOIDED');
    });
    expect(await charges(orderId)).toEqual(['VOIDED 2000']);
  });

  test('and whose new items are refused can be paid as it was', async () => {
    const before = await paying('tok_never_captured');
    const { orderId } = before;

    const answer = await scene.user.modify(orderId, of(scene.productId, 11), { wait: 10 });

    expect(answer.summary).toBe('409 MODIFICATION_REJECTED');
    expect(answer.problem.reason).toBe('OUT_OF_STOCK');
    const order = await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    expect(standing(order)).toEqual(standing(before));
    expect(await stockLines()).toBe('8/2/0 10/0/0');
    await payInFull(orderId, 2000);
    expect(await charges(orderId)).toEqual(['VOIDED 2000', 'CAPTURED 2000']);
  });

  test('and whose time is up by then gets no more of it', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.stack.clock.advance(RESERVATION_TTL_MS - 30_000);
    const { paymentId } = (await scene.user.pay(orderId, 'tok_never_captured')).payment;
    await eventually(async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('PENDING');
    });
    await scene.stack.clock.advance(40_000);
    await scene.freshToken();

    const answer = await scene.user.modify(orderId, of(scene.productId, 5));

    expect(answer.summary).toBe('202 PAYMENT_IN_PROGRESS');
    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'ORDER_FAILED'),
      {
        stepSeconds: 1,
      },
    );
    expect(order.reason).toBe('RESERVATION_EXPIRED');
    await eventually(async () => {
      expect(await stockLines()).toBe('10/0/0 10/0/0');
    });
    expect(await charges(orderId)).toEqual(['VOIDED 2000']);
  });

  test('can be changed once at a time', async () => {
    const { orderId } = await paying('tok_never_captured');
    const gateway = held();
    inject(scene.stack, { on: anyGatewayCall, act: gateway.act });
    const first = await scene.user.modify(orderId, of(scene.productId, 5));
    expect(first.summary).toBe('202 PAYMENT_IN_PROGRESS');

    const second = await scene.user.modify(orderId, of(scene.productId, 4));

    expect(second.summary).toBe('409 MODIFICATION_PENDING');
    expect(second.problem.orderId).toBe(orderId);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
    gateway.letGo();
    const order = await decided(orderId, 'APPLIED');
    expect(order.total).toEqual(eur(5000));
    await payInFull(orderId, 5000);
  });
});

describe('an order whose payment failed', () => {
  test('is changed at once, and the retried payment charges its new total', async () => {
    const before = await paymentFailed();
    const { orderId } = before;
    await changeProduct(scene.stack, scene.productId, { unitPrice: eur(1500) });
    await changeProduct(scene.stack, otherId, { unitPrice: eur(700) });

    const answer = await scene.user.modify(orderId, [...of(scene.productId, 1), ...of(otherId, 2)]);

    expect(answer.summary, answer.text).toBe('200 PAYMENT_FAILED');
    expect(answer.order).toMatchObject({
      version: before.version + 1,
      total: eur(2400),
      items: [
        { productId: scene.productId, quantity: 1, unitPrice: eur(1000) },
        { productId: otherId, quantity: 2, unitPrice: eur(700) },
      ],
      modification: { status: 'APPLIED', code: null },
      history: before.history,
    });
    expect(await scene.user.order(orderId)).toEqual(answer.order);
    expect(await stockLines()).toBe('10/0/0 10/0/0');
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      revision: 2,
      modifications: 1,
    });
    // What is shown now is what is charged, whatever the products cost by then.
    await changeProduct(scene.stack, otherId, { unitPrice: eur(9900) });
    const retried = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect(retried.summary, retried.text).toBe('200 CAPTURED');
    expect(retried.payment.amount).toEqual(eur(2400));
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2400']);
    expect(await stockLines()).toBe('9/0/1 8/0/2');
  });

  test.each<[string, () => Items | Promise<Items>]>([
    ['UNKNOWN_PRODUCT', () => [...of(scene.productId, 1), ...of('prod-nowhere', 1)]],
    ['PRODUCT_UNAVAILABLE', async () => of(await newProduct(5, { active: false }), 1)],
    [
      'MIXED_CURRENCIES',
      async () => [...of(scene.productId, 1), ...of(await newProduct(5, { currency: 'USD' }), 1)],
    ],
    ['BAD_QUANTITY', () => of(scene.productId, 0)],
  ])('refuses a change as %s and stays as it is', async (code, items) => {
    const before = await paymentFailed();
    const answer = await scene.user.modify(before.orderId, await items());
    expect(answer.summary, answer.text).toBe(`422 ${code}`);
    expect(answer.problem.orderId).toBe(before.orderId);
    expect(await scene.user.order(before.orderId)).toEqual(before);
  });

  test('cannot be changed while Inventory cannot be asked, and stays as it is', async () => {
    const before = await paymentFailed();
    inject(scene.stack, { on: httpCall('GET', '/product/'), times: 1, act: refuseConnection });
    const answer = await scene.user.modify(before.orderId, of(otherId, 1), { key: 'm1' });
    expect(answer.summary).toBe('503 INVENTORY_UNAVAILABLE');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await scene.user.order(before.orderId)).toEqual(before);
    // A 5xx is no answer to be kept.
    const again = await scene.user.modify(before.orderId, of(otherId, 1), { key: 'm1' });
    expect([again.summary, replayed(again)]).toEqual(['200 PAYMENT_FAILED', false]);
  });

  test('changed to more than there is fails again when the payment is retried', async () => {
    const { orderId } = await paymentFailed();
    expect((await scene.user.modify(orderId, of(scene.productId, 11))).status).toBe(200);
    const retried = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect(retried.summary).toBe('402 PAYMENT_FAILED');
    expect(retried.problem.reason).toBe('OUT_OF_STOCK');
    await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(await charges(orderId)).toEqual(['DECLINED 2000']);
    expect((await scene.user.modify(orderId, of(scene.productId, 10))).status).toBe(200);
    expect((await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 })).status).toBe(200);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 10000']);
  });
});

describe('in every other status a change is refused:', () => {
  async function refusedIn(orderId: string, status: string): Promise<void> {
    const before = await scene.user.expectStatus(orderId, status);
    const answer = await scene.user.modify(orderId, of(scene.productId, 3));
    expect(answer.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(answer.problem.orderId).toBe(orderId);
    expect(await scene.user.order(orderId)).toEqual(before);
    expect(before.links).not.toHaveProperty('modify');
  }

  test('CREATED', async () => {
    inject(scene.stack, {
      on: stateMachineCall('StartExecution'),
      times: 1,
      act: refuseConnection,
    });
    const { orderId } = (await scene.user.place(of(scene.productId, 2))).order;
    await refusedIn(orderId, 'CREATED');
    await scene.user.cancel(orderId);
  });

  test('PENDING_RESERVING_STOCK, for the first time', async () => {
    const inventory = held();
    inject(scene.stack, { on: reserving, act: inventory.act });
    const { orderId } = (await scene.user.place(of(scene.productId, 2))).order;
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));
    await refusedIn(orderId, 'PENDING_RESERVING_STOCK');
    inventory.letGo();
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
  });

  test('PENDING_RESERVING_STOCK, for a retried payment', async () => {
    const { orderId } = await paymentFailed();
    const inventory = held();
    inject(scene.stack, { on: reserving, act: inventory.act });
    await scene.user.retryPayment(orderId, 'tok_ok');
    await refusedIn(orderId, 'PENDING_RESERVING_STOCK');
    inventory.letGo();
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
  });

  test('PAYMENT_DONE', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await payInFull(orderId, 2000);
    await refusedIn(orderId, 'PAYMENT_DONE');
  });

  test('ORDER_FAILED', async () => {
    const withdrawn = await newProduct(5, { active: false });
    const { orderId = '' } = (await scene.user.place(of(withdrawn, 1), { wait: 10 })).problem;
    await released(orderId);
    await refusedIn(orderId, 'ORDER_FAILED');
  });

  test('INVALID', async () => {
    const { orderId = '' } = (await scene.user.place(of(scene.productId, 11), { wait: 10 }))
      .problem;
    await released(orderId);
    await refusedIn(orderId, 'INVALID');
  });

  test('ORDER_CANCELLED', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.cancel(orderId);
    await released(orderId);
    await refusedIn(orderId, 'ORDER_CANCELLED');
  });
});

describe('If-Match', () => {
  const ifMatch = (etag: string) => ({ wait: 10, headers: { 'if-match': etag } });

  test('with the version that the caller has seen lets the change through, once', async () => {
    const { orderId, version } = await scene.user.reserved(scene.productId, 2);
    const seen = (await scene.user.call('GET', `/order/${orderId}`)).headers.get('etag') ?? '';
    expect(seen).toBe(`"${String(version)}"`);
    const first = await scene.user.modify(orderId, of(scene.productId, 3), ifMatch(seen));
    expect(first.summary).toBe('200 PENDING_PAYMENT');

    const stale = await scene.user.modify(orderId, of(scene.productId, 4), ifMatch(seen));

    expect(stale.summary).toBe('412 PRECONDITION_FAILED');
    expect(stale.problem).toMatchObject({ orderId, version: first.order.version });
    expect(await scene.user.order(orderId)).toEqual(first.order);
    const fresh = first.headers.get('etag') ?? '';
    const second = await scene.user.modify(orderId, of(scene.productId, 4), ifMatch(fresh));
    expect(second.summary).toBe('200 PENDING_PAYMENT');
    await payInFull(orderId, 4000);
  });

  test('is honoured while a payment is under way and after it failed', async () => {
    const inProgress = await paying('tok_never_captured');
    const failed = await paymentFailed(3);
    for (const { orderId, version } of [inProgress, failed]) {
      const stale = ifMatch(`"${String(version - 1)}"`);
      const answer = await scene.user.modify(orderId, of(scene.productId, 4), stale);
      expect(answer.summary).toBe('412 PRECONDITION_FAILED');
      expect((await scene.user.order(orderId)).version).toBe(version);
    }
    expect(
      (await scene.user.modify(inProgress.orderId, of(scene.productId, 4), ifMatch('*'))).status,
    ).toBe(200);
  });

  test('with a star asks for nothing', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const answer = await scene.user.modify(orderId, of(scene.productId, 3), ifMatch('*'));
    expect(answer.summary).toBe('200 PENDING_PAYMENT');
  });

  test.each(['3', '"three"', 'W/"3"', '"3', '"-1"'])('refuses %s', async (etag) => {
    const before = await scene.user.reserved(scene.productId, 2);
    const answer = await scene.user.modify(before.orderId, of(scene.productId, 3), ifMatch(etag));
    expect(answer.summary).toBe('400 BAD_REQUEST');
    expect(await scene.user.order(before.orderId)).toEqual(before);
  });
});

describe('the caps of a change', () => {
  test.each<[string, () => Items]>([
    [
      '21 lines',
      () => Array.from({ length: 21 }, () => ({ productId: scene.productId, quantity: 1 })),
    ],
    ['no line', () => []],
    ['a fraction', () => of(scene.productId, 1.5)],
  ])('%s is not well-formed', async (_what, items) => {
    const before = await scene.user.reserved(scene.productId, 2);
    const answer = await scene.user.modify(before.orderId, items(), { wait: 10 });
    expect(answer.summary).toBe('400 BAD_REQUEST');
    expect(await scene.user.order(before.orderId)).toEqual(before);
  });

  test.each([0, -1, 10_001])(
    'a quantity of %i is refused and the order stays',
    async (quantity) => {
      const before = await scene.user.reserved(scene.productId, 2);
      const items = [...of(scene.productId, 2), ...of(otherId, quantity)];
      const answer = await scene.user.modify(before.orderId, items, { wait: 10 });
      expect(answer.summary).toBe('422 BAD_QUANTITY');
      expect(answer.problem.orderId).toBe(before.orderId);
      expect(await scene.user.order(before.orderId)).toEqual(before);
      expect((await storedOrder(scene.stack, before.orderId)).modifications).toBe(0);
    },
  );

  test('a bad quantity is not made up for by another line of the same product', async () => {
    const before = await scene.user.reserved(scene.productId, 2);
    const items = [...of(scene.productId, 5), ...of(scene.productId, -2)];
    expect((await scene.user.modify(before.orderId, items)).summary).toBe('422 BAD_QUANTITY');
    expect(await scene.user.order(before.orderId)).toEqual(before);
  });

  test('20 lines and 20 changes are allowed, the 21st is not', async () => {
    const { orderId } = await paymentFailed();
    const lines = (count: number): Items =>
      Array.from({ length: count }, () => ({ productId: scene.productId, quantity: 1 }));
    for (let change = 1; change <= 20; change += 1) {
      const answer = await scene.user.modify(orderId, lines(change));
      expect(answer.summary, answer.text).toBe('200 PAYMENT_FAILED');
      expect(answer.order.total).toEqual(eur(change * 1000));
      expect(Object.hasOwn(answer.order.links, 'modify')).toBe(change < 20);
    }
    const before = await scene.user.order(orderId);
    const refused = await scene.user.modify(orderId, lines(1));
    expect(refused.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(refused.problem.orderId).toBe(orderId);
    expect(await scene.user.order(orderId)).toEqual(before);
  });
});

test('another user’s order does not exist', async () => {
  const before = await scene.user.reserved(scene.productId, 2);
  const stranger = await Customer.of(scene.stack);
  const theirs = await stranger.modify(before.orderId, of(scene.productId, 3));
  const nobodys = await stranger.modify('ord_nowhere', of(scene.productId, 3));
  expect([theirs.summary, nobodys.summary]).toEqual(['404 NOT_FOUND', '404 NOT_FOUND']);
  expect(theirs.problem.detail).toBe(nobodys.problem.detail);
  expect(await scene.user.order(before.orderId)).toEqual(before);
});

describe('the same Idempotency-Key', () => {
  test('replays the answer, and the order is changed once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const options = { key: 'm1', wait: 10 };
    const first = await scene.user.modify(orderId, of(scene.productId, 3), options);
    expect([first.summary, replayed(first)]).toEqual(['200 PENDING_PAYMENT', false]);
    await scene.user.modify(orderId, of(scene.productId, 4), { key: 'm2', wait: 10 });

    const again = await scene.user.modify(orderId, of(scene.productId, 3), options);

    expect([again.text, replayed(again)]).toEqual([first.text, true]);
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
    expect((await scene.user.order(orderId)).total).toEqual(eur(4000));
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      modifications: 2,
      revision: 3,
    });
  });

  test('with other items is refused', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const { order } = await scene.user.modify(orderId, of(scene.productId, 3), {
      key: 'm1',
      wait: 10,
    });
    const other = await scene.user.modify(orderId, of(scene.productId, 4), { key: 'm1', wait: 10 });
    expect(other.summary).toBe('422 IDEMPOTENCY_CONFLICT');
    expect(await scene.user.order(orderId)).toEqual(order);
  });

  test('for another order is refused', async () => {
    const first = await scene.user.reserved(scene.productId, 2);
    const second = await scene.user.reserved(otherId, 2);
    await scene.user.modify(first.orderId, of(scene.productId, 3), { key: 'm1', wait: 10 });
    const other = await scene.user.modify(second.orderId, of(scene.productId, 3), {
      key: 'm1',
      wait: 10,
    });
    expect(other.summary).toBe('422 IDEMPOTENCY_CONFLICT');
    expect(await scene.user.order(second.orderId)).toEqual(second);
  });

  test('of a refusal may be tried again', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const options = { key: 'm1', wait: 10 };
    const first = await scene.user.modify(orderId, of(scene.productId, 11), options);
    const again = await scene.user.modify(orderId, of(scene.productId, 11), options);
    expect([first.summary, again.summary]).toEqual([
      '409 MODIFICATION_REJECTED',
      '409 MODIFICATION_REJECTED',
    ]);
    expect((await storedOrder(scene.stack, orderId)).modifications).toBe(1);
  });

  test.each<[string, () => Promise<OrderDocument>, number]>([
    ['waits for its payment', () => scene.user.reserved(scene.productId, 2), 202],
    ['is being paid', () => paying('tok_never_captured'), 202],
    ['failed to be paid', () => paymentFailed(), 200],
  ])('of a handler that died after it changed an order that %s changes it once', async (...row) => {
    const [, prepare, status] = row;
    const { orderId, version } = await prepare();
    inject(scene.stack, { on: transaction, times: 1, act: dieAfter });
    const options = { key: 'm1', headers: { 'if-match': `"${String(version)}"` } };
    expect((await scene.user.modify(orderId, of(scene.productId, 5), options)).status).toBe(502);
    const tooSoon = await scene.user.modify(orderId, of(scene.productId, 5), options);
    expect(tooSoon.summary).toBe('409 REQUEST_IN_PROGRESS');
    await scene.stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);

    const again = await scene.user.modify(orderId, of(scene.productId, 5), options);

    // Its own change is no reason to tell it that somebody changed the order.
    expect(again.status, again.text).toBe(status);
    await scene.stack.clock.advance(DISPATCH_AFTER_MS);
    const order = await dispatchedUntil(orderId, 'PENDING_PAYMENT', 'PAYMENT_FAILED');
    expect(order).toMatchObject({ total: eur(5000), modification: { status: 'APPLIED' } });
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      modifications: 1,
      revision: 2,
    });
    expect(await stockLines()).toBe(status === 202 ? '5/5/0 10/0/0' : '10/0/0 10/0/0');
  });

  test('sent ten times at once changes the order once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        scene.user.modify(orderId, of(scene.productId, 3), { key: 'm1', wait: 10 }),
      ),
    );
    const summaries = new Set(answers.map(({ summary }) => summary));
    summaries.delete('409 REQUEST_IN_PROGRESS');
    expect([...summaries]).toEqual(['200 PENDING_PAYMENT']);
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      modifications: 1,
      revision: 2,
    });
    await payInFull(orderId, 3000);
  });
});

describe('an order changed from one set of items to another', () => {
  test('is in the way of the new items, no more of the old ones', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.modify(orderId, of(otherId, 1), { wait: 10 });

    const refused = await scene.user.place(of(otherId, 1), { wait: 10 });
    expect(refused.summary).toBe('409 DUPLICATE_ORDER');
    expect(refused.problem.orderId).toBe(orderId);
    const allowed = await scene.user.reserved(scene.productId, 2);
    expect(allowed.orderId).not.toBe(orderId);

    // The order's own former guard names the new one now.
    expect((await scene.user.place(of(scene.productId, 2))).problem.orderId).toBe(allowed.orderId);
    expect(await ordersOf(scene.stack, scene.user.userId)).toHaveLength(2);
  });

  test('and back is in the way of the first items again', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.modify(orderId, of(otherId, 1), { wait: 10 });
    await scene.user.modify(orderId, of(scene.productId, 2), { wait: 10 });
    expect((await scene.user.place(of(scene.productId, 2))).problem.orderId).toBe(orderId);
    expect((await scene.user.reserved(otherId, 1)).orderId).not.toBe(orderId);
  });

  test('in vain is still in the way of the old ones only', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.modify(orderId, of(scene.productId, 11), { wait: 10 });
    expect((await scene.user.place(of(scene.productId, 2))).problem.orderId).toBe(orderId);
    const other = await scene.user.place(of(scene.productId, 11), { wait: 10 });
    expect(other.summary).toBe('422 OUT_OF_STOCK');
  });

  test('but not yet for sure is in the way of both', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const inventory = held();
    inject(scene.stack, { on: reserving, act: inventory.act });
    await scene.user.modify(orderId, of(otherId, 1));
    const refused = [
      await scene.user.place(of(scene.productId, 2)),
      await scene.user.place(of(otherId, 1)),
    ];
    inventory.letGo();
    expect(refused.map(({ summary }) => summary)).toEqual([
      '409 DUPLICATE_ORDER',
      '409 DUPLICATE_ORDER',
    ]);
    await decided(orderId, 'APPLIED');
  });

  test('that another order of theirs has may be what they want', async () => {
    const first = await scene.user.reserved(scene.productId, 2);
    const second = await scene.user.reserved(otherId, 1);
    const answer = await scene.user.modify(second.orderId, of(scene.productId, 2), { wait: 10 });
    expect(answer.summary).toBe('200 PENDING_PAYMENT');
    expect((await scene.user.place(of(scene.productId, 2))).problem.orderId).toBe(first.orderId);
  });
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
