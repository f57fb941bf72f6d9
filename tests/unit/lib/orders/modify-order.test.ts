import { describe, expect, test } from 'vitest';
import { ProductUnavailable } from '../../../../lib/inventory/refusals.ts';
import { type ModifyOrderRequest, modifyOrder } from '../../../../lib/orders/modify-order.ts';
import type { Order } from '../../../../lib/orders/order.ts';
import { itemsKeyOf } from '../../../../lib/orders/order-service.ts';
import {
  BadQuantity,
  ModificationPending,
  ReservationExpired,
} from '../../../../lib/orders/refusals.ts';
import {
  IllegalTransition,
  InfrastructureUnavailable,
  NotFound,
  PreconditionFailed,
} from '../../../../lib/platform/errors.ts';
import { EUR_26, NOW_MS, orderIn, paymentIn, World } from './fakes.ts';

const WANTED = [{ productId: 'mug', quantity: 5 }];
const WISH = { status: 'PENDING', items: [{ productId: 'mug', quantity: 9 }] } as const;

const modify = (world: World, changes: Partial<ModifyOrderRequest> = {}) =>
  modifyOrder(world.service, {
    orderId: 'ord_1',
    userId: 'alice',
    items: WANTED,
    ifVersion: undefined,
    request: undefined,
    ...changes,
  });

/** Entry of the new items, for the order's next version. */
const ENTERED = { itemsKey: itemsKeyOf(WANTED), orderId: 'ord_1', atMs: NOW_MS, version: 8 };

describe('modifying an order that waits for its payment', () => {
  test('goes back to be reserved at a new revision and remembers what is held', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { revision: 4, heldRevision: 2 }));
    await modify(world, { request: 'req_1' });
    expect(world.effects).toEqual([
      'save open orders ord_1',
      'save order PENDING_RESERVING_STOCK',
      'saga.signal user-wait',
    ]);
    expect(world.order).toMatchObject({
      status: 'PENDING_RESERVING_STOCK',
      purpose: 'MODIFICATION',
      revision: 5,
      run: 2,
      former: { revision: 2, expiresAtMs: NOW_MS + 600_000 },
      modification: { status: 'PENDING', items: WANTED },
      modifications: 1,
      lastRequest: 'req_1',
      total: EUR_26,
      items: [{ productId: 'mug', quantity: 2 }],
      dueAtMs: NOW_MS + 30_000,
    });
    expect(world.openOrders.entries).toEqual([ENTERED]);
  });

  test('whose time is up is refused', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { reservationExpiresAtMs: NOW_MS }));
    await expect(modify(world)).rejects.toBeInstanceOf(ReservationExpired);
    expect(world.effects).toEqual([]);
  });

  test('is a wish only where the user pays at the same moment', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'), paymentIn('INITIATED'));
    world.interfere = (call) => {
      if (call !== 'save order PENDING_RESERVING_STOCK') return;
      world.put(orderIn('PAYMENT_IN_PROGRESS', { version: 8, writes: 18 }));
    };
    await modify(world);
    expect(world.order).toMatchObject({
      status: 'PAYMENT_IN_PROGRESS',
      revision: 3,
      modification: { status: 'PENDING', items: WANTED },
    });
  });

  test('stands though the saga could not be woken', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    world.failAt('saga.signal', new InfrastructureUnavailable('No answer.'));
    expect(await modify(world)).toMatchObject({ status: 'PENDING_RESERVING_STOCK' });
  });

  test('stands for the old items and the new ones, from before its write', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    const former = { ...ENTERED, itemsKey: itemsKeyOf(world.order.items), atMs: 1, version: 1 };
    const other = { ...ENTERED, orderId: 'ord_2' };
    world.openOrders = { version: 1, entries: [former, other] };
    world.failAt('save order', new InfrastructureUnavailable('The process dies here.'));
    await expect(modify(world)).rejects.toBeInstanceOf(InfrastructureUnavailable);
    expect(world.openOrders.entries).toEqual([other, former, ENTERED]);
  });

  test('merges equal products', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    await modify(world, { items: [...WANTED, ...WANTED] });
    expect(world.order.modification?.items).toEqual([{ productId: 'mug', quantity: 10 }]);
  });
});

describe('modifying an order that is being paid', () => {
  test.each([
    ['INITIATED', []],
    ['PENDING', ['saga.signal user-wait']],
    ['CAPTURED', []],
  ] as const)(
    'only writes the wish down and wakes who waits (payment %s)',
    async (status, signals) => {
      const waiting = { dueAtMs: NOW_MS + 900_000 };
      const world = new World(orderIn('PAYMENT_IN_PROGRESS', waiting), paymentIn(status));
      const { order } = world;
      await modify(world);
      expect(world.effects).toEqual([
        'save open orders ord_1',
        'save order PAYMENT_IN_PROGRESS',
        ...signals,
      ]);
      expect(world.order).toEqual({
        ...order,
        version: 8,
        writes: 18,
        modification: { status: 'PENDING', items: WANTED },
        modifications: 1,
        dueAtMs: NOW_MS + 30_000,
      });
    },
  );

  test('never pushes back what is due sooner', async () => {
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS', { dueAtMs: NOW_MS + 7 }),
      paymentIn('INITIATED'),
    );
    await modify(world);
    expect(world.order).toMatchObject({ dueAtMs: NOW_MS + 7 });
  });
});

describe('modifying an order whose payment failed', () => {
  test('prices the new items now, what was seen before as it was, and reserves nothing', async () => {
    const world = new World(orderIn('PAYMENT_FAILED', { releaseOwed: { revision: 3 } }));
    world.prices.set('mug', { amount: 9999, currency: 'EUR' });
    world.prices.set('coffee', { amount: 100, currency: 'EUR' });
    await modify(world, { items: [...WANTED, { productId: 'coffee', quantity: 1 }] });
    expect(world.effects).toEqual([
      'inventory.quote ord_1',
      'save open orders ord_1',
      'save order PAYMENT_FAILED',
    ]);
    expect(world.order).toMatchObject({
      status: 'PAYMENT_FAILED',
      revision: 4,
      releaseOwed: { revision: 3 },
      total: { amount: 5 * 1299 + 100, currency: 'EUR' },
      items: [
        { productId: 'mug', quantity: 5, unitPrice: { amount: 1299 } },
        { productId: 'coffee', quantity: 1, unitPrice: { amount: 100 } },
      ],
      modification: { status: 'APPLIED' },
    });
  });

  test('hands a refusal of Inventory on and changes nothing', async () => {
    const world = new World(orderIn('PAYMENT_FAILED'));
    world.failAt('inventory.quote', new ProductUnavailable('Withdrawn.'));
    await expect(modify(world)).rejects.toBeInstanceOf(ProductUnavailable);
    expect(world.order).toEqual(orderIn('PAYMENT_FAILED'));
  });
});

describe('modifying is refused', () => {
  /** By hand, for every status and purpose that allows no modification. */
  const REFUSED: readonly (readonly [string, Order, abstract new (message: string) => Error])[] = [
    ['CREATED', orderIn('CREATED'), IllegalTransition],
    ['reserved first', orderIn('PENDING_RESERVING_STOCK'), IllegalTransition],
    [
      'reserved for a payment retry',
      orderIn('PENDING_RESERVING_STOCK', { purpose: 'PAYMENT_RETRY' }),
      IllegalTransition,
    ],
    [
      'reserved for a modification',
      orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION', modification: WISH }),
      ModificationPending,
    ],
    [
      'paid while a modification waits',
      orderIn('PAYMENT_IN_PROGRESS', { modification: WISH }),
      ModificationPending,
    ],
    ['PAYMENT_DONE', orderIn('PAYMENT_DONE'), IllegalTransition],
    ['ORDER_FAILED', orderIn('ORDER_FAILED'), IllegalTransition],
    ['INVALID', orderIn('INVALID'), IllegalTransition],
    ['ORDER_CANCELLED', orderIn('ORDER_CANCELLED'), IllegalTransition],
  ];

  test.each(REFUSED)('for an order that is %s', async (_what, order, expected) => {
    const world = new World(order);
    await expect(modify(world)).rejects.toBeInstanceOf(expected);
    expect(world.effects).toEqual([]);
    expect(world.order).toEqual(order);
  });

  const MODIFIABLE: readonly Order[] = [
    orderIn('PENDING_PAYMENT'),
    orderIn('PAYMENT_IN_PROGRESS'),
    orderIn('PAYMENT_FAILED'),
  ];

  test.each(MODIFIABLE)('where the caller has seen another version ($status)', async (order) => {
    const world = new World(order);
    await expect(modify(world, { ifVersion: 6 })).rejects.toBeInstanceOf(PreconditionFailed);
    expect(world.effects).toEqual([]);
  });

  test.each([0, -1, 10_001])('for the quantity %i', async (quantity) => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    const items = [...WANTED, { productId: 'mug', quantity }];
    await expect(modify(world, { items })).rejects.toBeInstanceOf(BadQuantity);
    expect(world.effects).toEqual([]);
  });

  test('the twenty-first time', async () => {
    const last = new World(orderIn('PENDING_PAYMENT', { modifications: 19 }));
    expect(await modify(last)).toMatchObject({ modifications: 20 });
    const world = new World(orderIn('PENDING_PAYMENT', { modifications: 20 }));
    await expect(modify(world)).rejects.toBeInstanceOf(IllegalTransition);
    expect(world.effects).toEqual([]);
  });

  test('to anybody else', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    await expect(modify(world, { userId: 'mallory' })).rejects.toBeInstanceOf(NotFound);
    expect(world.effects).toEqual([]);
  });
});

describe('a keyed modification, repeated', () => {
  test.each([
    'PENDING_RESERVING_STOCK',
    'PENDING_PAYMENT',
    'PAYMENT_DONE',
    'ORDER_FAILED',
  ] as const)('finds that it is done, whatever the order is by now: %s', async (status) => {
    const world = new World(orderIn(status, { lastRequest: 'req_1', modifications: 20 }));
    const before = world.order;
    expect(await modify(world, { request: 'req_1', ifVersion: 6 })).toEqual(before);
    expect(world.effects).toEqual([]);
  });

  test('is not taken for another one', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { lastRequest: 'req_1' }));
    await modify(world, { request: 'req_2' });
    expect(world.order).toMatchObject({ lastRequest: 'req_2', modifications: 1 });
  });
});
