import { beforeEach, describe, expect, test } from 'vitest';
import {
  after,
  anyInventoryCall,
  type Fault,
  heal,
  held,
  httpCall,
  inject,
  loseAnswer,
  refuseConnection,
  stateMachineCall,
} from '../support/faults.ts';
import { expectPromisesAtRest, storedOrder } from '../support/invariants.ts';
import { eur, modifying, of, standing } from '../support/modify.ts';
import { Scene } from '../support/scene.ts';
import {
  changeProduct,
  type Items,
  inventoryCall,
  newProduct,
  type OrderDocument,
  stockLine,
} from '../support/shop.ts';
import { abortExecution, asTimeGoesOn, eventually, messagesIn } from '../support/stack.ts';

const RESERVATION_TTL_MS = 1_800_000;

const DISPATCH_AFTER_MS = 30_000;

// The schedule never runs by itself; the tests run its functions.
const scene = new Scene({ RESERVATION_TTL_SECONDS: '1800', SCHEDULE_SECONDS: '3600' });
const { payInFull, dispatchedUntil, decided } = modifying(scene);
let otherId: string;

beforeEach(async () => {
  otherId = await newProduct(10);
});

const reserving = httpCall('PUT', '/inventory/reservation/');
const asking = httpCall('GET', '/inventory/reservation/');

/** Calls that reserve, until the outage budget is spent and the saga asks what Inventory holds. */
function reservingUntilAsked(): Fault['on'] {
  let isAsked = false;
  return (effect) => {
    isAsked ||= asking(effect);
    return !isAsked && reserving(effect);
  };
}

async function stockLines(): Promise<string> {
  return `${await stockLine(scene.stack, scene.productId)} ${await stockLine(scene.stack, otherId)}`;
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
      // The user gets no more time than promised before.
      reservationExpiresAt: before.reservationExpiresAt,
    });
    // Lines reserved before keep their price; new lines get today's.
    for (const { productId: id, unitPrice } of order.items) {
      expect(unitPrice).toEqual(eur(id === scene.productId ? 1000 : 700));
    }
    expect(order.history.slice(3).map(({ to, by }) => [to, by])).toEqual([
      ['PENDING_RESERVING_STOCK', 'user'],
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
  /** The items to ask for instead of two of `productId`. */
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
      heldRevision: 2,
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
      revision: 2,
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
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({ revision: 3, heldRevision: 3 });
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
    // The old items remain, at the price that the user has seen.
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

    expect(lost.strikes).toBeGreaterThan(6);
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
    inject(scene.stack, { on: reservingUntilAsked(), act: refuseConnection });

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

  test('arrives after it was given up changes nothing any more', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, { on: reservingUntilAsked(), act: refuseConnection });
    await scene.user.modify(orderId, of(scene.productId, 5));
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'), {
      stepSeconds: 2,
    });
    heal(scene.stack);
    const late = await inventoryCall(scene.stack, 'PUT', orderId, {
      revision: 2,
      holdSeconds: 900,
      items: of(scene.productId, 5),
    });
    expect(late.summary).toBe('200 HELD');
    expect(await stockLines()).toBe('8/2/0 10/0/0');

    await payInFull(orderId, 2000);
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
        expect.objectContaining({
          orderId,
          step: 'reserve-stock',
          error: 'InventoryOutageBudgetSpent',
        }),
      );
    });
    // The release stays owed while Inventory is unreachable.
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

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
