import { describe, expect, test } from 'vitest';
import {
  CacheTimeout,
  InventoryMisunderstood,
  InventoryRestarting,
  InventoryTimeout,
  InventoryUnavailable,
  LockContention,
  MixedCurrencies,
  OutOfStock,
} from '../../../../../lib/inventory/refusals.ts';
import type {
  CancelledOrder,
  PendingReservingStockOrder,
} from '../../../../../lib/orders/order.ts';
import { intendedItems } from '../../../../../lib/orders/order-items.ts';
import { reserveStock } from '../../../../../lib/orders/saga/reserve-stock.ts';
import {
  InventoryOutageBudgetSpent,
  InventoryPaused,
  OrderModified,
  OrderSettled,
  RunSuperseded,
  WaitSuperseded,
} from '../../../../../lib/orders/saga/signals.ts';
import type { Wait } from '../../../../../lib/orders/stored-wait.ts';
import { type DomainError, InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import { EUR_26, NOW_MS, orderIn, paymentIn, RUN, World, waitOf } from '../fakes.ts';

const RESERVED_UNTIL_MS = NOW_MS + 900_000;
const RESERVE = 'inventory.reserve ord_1 revision 3';

/** An attempt that began now, in a state that was entered now. */
const WAIT = waitOf('new-wait', { enteredAtMs: NOW_MS });

const step = (world: World, wait: Partial<Wait> = {}) =>
  reserveStock(world.service, { ...RUN, ...WAIT, ...wait });

/** Has Inventory hold what the order asks for, at these prices (1500 EUR cents if not named). */
function priced(world: World, prices: Readonly<Record<string, string>> = {}): World {
  world.reservedAtInventory = intendedItems(world.order as PendingReservingStockOrder).map(
    ({ productId, quantity }) => {
      const [amount, currency = 'EUR'] = (prices[productId] ?? '1500 EUR').split(' ');
      return { productId, quantity, unitPrice: { amount: Number(amount), currency } };
    },
  );
  return world;
}

const WISH = { status: 'PENDING', items: [{ productId: 'mug', quantity: 5 }] } as const;
const WANTED = [{ productId: 'mug', quantity: 5, unitPrice: { amount: 1299, currency: 'EUR' } }];

const reserving = (changes: Partial<PendingReservingStockOrder> = {}) =>
  new World(orderIn('PENDING_RESERVING_STOCK', changes), paymentIn('INITIATED'));

describe('reserving', () => {
  test('writes the status before it calls, at the revision of the order', async () => {
    const world = new World(orderIn('CREATED'));
    await step(world);
    expect(world.effects).toEqual([
      'save order PENDING_RESERVING_STOCK',
      RESERVE,
      'store new-wait',
      'save order PENDING_PAYMENT',
    ]);
    expect(world.order).toMatchObject({ status: 'PENDING_PAYMENT', heldRevision: 3, run: 2 });
  });

  test('again calls with the same revision', async () => {
    const world = reserving();
    await step(world);
    expect(world.effects).toEqual([RESERVE, 'store new-wait', 'save order PENDING_PAYMENT']);
  });

  test('hands a refusal on by name and decides nothing itself', async () => {
    const world = reserving();
    world.failAt('inventory.reserve', new OutOfStock('None left.'));
    const { order } = world;
    await expect(step(world)).rejects.toBeInstanceOf(OutOfStock);
    expect(world.order).toEqual(order);
  });

  test('does not take the old items for the new ones at the same revision', async () => {
    const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
    await expect(step(world)).rejects.toMatchObject({
      name: 'ModificationGivenUp',
    });
    world.reservedAtInventory = WANTED;
    await step(world);
    expect(world.order.status).toBe('PENDING_PAYMENT');
  });

  test('in a run that was superseded calls nobody', async () => {
    const world = reserving({ run: 3 });
    await expect(step(world)).rejects.toBeInstanceOf(RunSuperseded);
    expect(world.effects).toEqual([]);
  });

  test.each(['PAYMENT_IN_PROGRESS', 'PAYMENT_DONE'] as const)(
    'completes itself where the order is %s already',
    async (status) => {
      const world = new World(orderIn(status));
      await step(world);
      expect(world.effects).toEqual(['store new-wait', 'saga.signal new-wait']);
      expect(world.order).toEqual(orderIn(status));
    },
  );

  test.each(['PAYMENT_FAILED', 'ORDER_FAILED', 'INVALID', 'ORDER_CANCELLED'] as const)(
    'is over where the order is %s',
    async (status) => {
      const world = new World(orderIn(status));
      await expect(step(world)).rejects.toBeInstanceOf(OrderSettled);
      expect(world.effects).toEqual(['store new-wait']);
    },
  );
});

describe('a refusal of Inventory', () => {
  test('because of a product is noted on the order, and passed on', async () => {
    const world = reserving();
    const refusal = new OutOfStock('Only 1 of mug can be ordered.', {
      details: { productId: 'mug', available: 1 },
    });
    world.failAt('inventory.reserve', refusal);
    await expect(step(world)).rejects.toBe(refusal);
    expect(world.order).toMatchObject({
      status: 'PENDING_RESERVING_STOCK',
      version: 7,
      refused: {
        code: 'OUT_OF_STOCK',
        detail: 'Only 1 of mug can be ordered.',
        productId: 'mug',
        available: 1,
      },
    });
  });
});

describe('an Inventory that asks for a pause,', () => {
  const interfereOnce = (world: World, meanwhile: PendingReservingStockOrder | CancelledOrder) => {
    let isFirst = true;
    world.interfere = (call) => {
      if (call.startsWith('inventory.reserve')) throw restarting(7);
      if (!call.startsWith('save order') || !isFirst) return;
      isFirst = false;
      world.put(meanwhile);
    };
  };

  test('is heeded where somebody else writes the order at the same moment', async () => {
    const world = reserving();
    // The dispatcher postpones the order between the step's read and its write.
    const postponed = { writes: 18, dueAtMs: NOW_MS + 1000 };
    interfereOnce(world, orderIn('PENDING_RESERVING_STOCK', postponed));
    await expect(step(world)).rejects.toBeInstanceOf(InventoryPaused);
    expect(world.order).toEqual(
      orderIn('PENDING_RESERVING_STOCK', {
        version: 8,
        writes: 19,
        dueAtMs: NOW_MS + 1000,
        outage: { sinceMs: NOW_MS, notBeforeMs: NOW_MS + 7000 },
      }),
    );
  });

  test.each([
    ['was cancelled', orderIn('ORDER_CANCELLED', { version: 8, writes: 18 })],
    ['has a newer run', orderIn('PENDING_RESERVING_STOCK', { version: 8, writes: 18, run: 3 })],
    [
      'has a newer change',
      orderIn('PENDING_RESERVING_STOCK', { version: 8, writes: 18, revision: 4 }),
    ],
  ])('writes nothing on an order that %s meanwhile', async (_what, meanwhile) => {
    const world = reserving();
    interfereOnce(world, meanwhile);
    await expect(step(world)).rejects.toBeInstanceOf(InventoryPaused);
    expect(world.order).toEqual(meanwhile);
  });

  const restarting = (retryAfterSeconds: number) =>
    new InventoryRestarting('Later.', { retryAfterSeconds });

  test('is shown as one change, however often it asks', async () => {
    const world = reserving();
    world.failAt('inventory.reserve', restarting(7));
    await expect(step(world)).rejects.toBeInstanceOf(InventoryPaused);
    world.clock.nowMs += 7000;
    await expect(step(world)).rejects.toBeInstanceOf(InventoryPaused);
    expect(world.order).toMatchObject({
      version: 8,
      writes: 19,
      outage: { sinceMs: NOW_MS, notBeforeMs: NOW_MS + 14_000 },
    });
  });

  test('is not called before the time it named', async () => {
    const world = reserving();
    world.failAt('inventory.reserve', restarting(7));
    await expect(step(world)).rejects.toBeInstanceOf(InventoryPaused);
    expect(world.order).toMatchObject({
      outage: { sinceMs: NOW_MS, notBeforeMs: NOW_MS + 7000 },
    });
    world.interfere = () => undefined;
    world.clock.nowMs += 6999;
    await expect(step(world)).rejects.toBeInstanceOf(InventoryPaused);
    world.clock.nowMs += 1;
    await step(world);
    expect(world.order.status).toBe('PENDING_PAYMENT');
    expect(world.effects.filter((call) => call.startsWith('inventory.'))).toHaveLength(2);
  });

  test.each<[string, DomainError]>([
    ['does not answer', new InventoryTimeout('No answer.')],
    ['is unavailable', new InventoryUnavailable('500')],
    ['is contended', new LockContention('Again.')],
    ['waits for its cache', new CacheTimeout('Again.')],
  ])(
    'or %s holds the order up until the budget is spent, with one write',
    async (_what, failure) => {
      const world = reserving();
      world.failAt('inventory.reserve', failure);
      await expect(step(world)).rejects.toMatchObject({ name: 'InventoryPaused', cause: failure });
      for (const afterSeconds of [60, 120]) {
        world.clock.nowMs = NOW_MS + afterSeconds * 1000;
        // One outage is one failure of the step.
        await expect(step(world)).rejects.toSatisfy(
          (error) => error instanceof InventoryPaused && error.cause === undefined,
        );
      }
      expect(world.order).toMatchObject({ outage: { sinceMs: NOW_MS, notBeforeMs: NOW_MS } });
      expect(world.effects.filter((call) => call.startsWith('save order'))).toHaveLength(1);
      world.clock.nowMs += 1;
      await expect(step(world)).rejects.toMatchObject({
        name: 'InventoryOutageBudgetSpent',
        cause: failure,
      });
    },
  );

  test('but is only misunderstood fails the step at once', async () => {
    const world = reserving();
    world.failAt('inventory.reserve', new InventoryMisunderstood('413'));
    await expect(step(world)).rejects.toBeInstanceOf(InventoryMisunderstood);
    expect(world.order).not.toHaveProperty('outage');
  });

  test.each([
    [0, 120, true],
    [0, 121, false],
    [100, 20, true],
    [100, 21, false],
    [120, 0, true],
    [121, 0, false],
  ])('since %i s, for another %i s: %s', async (since, retryAfterSeconds, isInBudget) => {
    const outage = { sinceMs: NOW_MS - since * 1000, notBeforeMs: NOW_MS };
    const world = reserving({ outage });
    world.failAt('inventory.reserve', restarting(retryAfterSeconds));
    await expect(step(world)).rejects.toBeInstanceOf(
      isInBudget ? InventoryPaused : InventoryOutageBudgetSpent,
    );
  });
});

describe('waiting for the user', () => {
  test('stores the token before the new status, and signals nothing: the user decides', async () => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK'));
    await step(world);
    expect(world.effects).toEqual([RESERVE, 'store new-wait', 'save order PENDING_PAYMENT']);
    expect(world.wait).toEqual(WAIT);
    expect(world.order).toMatchObject({
      status: 'PENDING_PAYMENT',
      heldRevision: 3,
      reservationExpiresAtMs: RESERVED_UNTIL_MS,
      dueAtMs: RESERVED_UNTIL_MS,
      total: EUR_26,
    });
    expect(world.order).not.toHaveProperty('purpose');
  });

  test('repeated long after an answer that was lost promises only what the hold still outlasts', async () => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK'));
    world.longestHoldMs = world.deadlines.allowanceMs + 750_000;
    await step(world);
    expect(world.order).toMatchObject({ reservationExpiresAtMs: NOW_MS + 750_000 });
  });

  test('keeps a price that the user has seen and freezes one that is new', async () => {
    const world = new World(
      orderIn('PENDING_RESERVING_STOCK', {
        items: [
          { productId: 'coffee', quantity: 1, unitPrice: { amount: 100, currency: 'EUR' } },
          { productId: 'mug', quantity: 2 },
        ],
      }),
    );
    await step(priced(world, { coffee: '999 EUR' }));
    expect(world.order.total).toEqual({ amount: 3100, currency: 'EUR' });
    expect(world.order.items.map(({ unitPrice }) => unitPrice?.amount)).toEqual([100, 1500]);
  });

  test('refuses prices in two currencies, and leaves the order to be rejected', async () => {
    const order = orderIn('PENDING_RESERVING_STOCK', {
      items: [
        { productId: 'mug', quantity: 1 },
        { productId: 'coffee', quantity: 1 },
      ],
    });
    const world = new World(order);
    const step1 = step(priced(world, { coffee: '999 USD' }));
    await expect(step1).rejects.toBeInstanceOf(MixedCurrencies);
    expect(world.effects).toEqual([RESERVE, 'store new-wait']);
    expect(world.order).toEqual(order);
  });

  test('reserves again where another revision was asked for meanwhile', async () => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK'));
    world.interfere = (call) => {
      if (call === RESERVE)
        world.put(orderIn('PENDING_RESERVING_STOCK', { revision: 4, version: 8, writes: 18 }));
    };
    await expect(step(world)).rejects.toBeInstanceOf(OrderModified);
    expect(world.order).toMatchObject({ status: 'PENDING_RESERVING_STOCK', revision: 4 });
  });

  test.each([
    ['an earlier passage', waitOf('old', { enteredAtMs: NOW_MS - 1, retryCount: 5 })],
    ['an earlier try', waitOf('old', { enteredAtMs: NOW_MS, retryCount: 1 })],
    ['the same try, delivered twice', waitOf('new-wait', { enteredAtMs: NOW_MS, retryCount: 2 })],
    ['an earlier run', waitOf('old', { run: 1, enteredAtMs: NOW_MS + 9, retryCount: 5 })],
    ['nobody', undefined],
  ])('again, after %s, stores its token and leaves the order alone', async (_whom, stored) => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    world.wait = stored;
    await step(world, { retryCount: 2 });
    expect(world.effects).toEqual(['store new-wait']);
    expect(world.wait).toEqual({ ...WAIT, retryCount: 2 });
  });

  test.each([
    ['a later try', 'PENDING_PAYMENT', waitOf('live', { enteredAtMs: NOW_MS, retryCount: 3 })],
    ['a later passage', 'PENDING_PAYMENT', waitOf('live', { enteredAtMs: NOW_MS + 1 })],
    ['a later run', 'PENDING_PAYMENT', waitOf('live', { run: 3, enteredAtMs: NOW_MS - 1 })],
    ['a later state', 'PAYMENT_IN_PROGRESS', waitOf('live', { enteredAtMs: NOW_MS + 1 })],
  ] as const)('late, after %s has stored its own, ends at once', async (_whom, status, stored) => {
    const world = new World(orderIn(status));
    world.wait = stored;
    await expect(step(world, { retryCount: 2 })).rejects.toBeInstanceOf(WaitSuperseded);
    expect(world.effects).toEqual(['store new-wait']);
    expect(world.wait).toEqual(stored);
  });

  test('late, with stock in hand, leaves the order to the later try', async () => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK'));
    world.wait = waitOf('live', { enteredAtMs: NOW_MS, retryCount: 1 });
    await expect(step(world)).rejects.toBeInstanceOf(WaitSuperseded);
    expect(world.effects).toEqual([RESERVE, 'store new-wait']);
    expect(world.order.status).toBe('PENDING_RESERVING_STOCK');
  });

  test('completes itself where the time was up before its token was stored', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { reservationExpiresAtMs: NOW_MS }));
    await step(world);
    expect(world.effects).toEqual(['store new-wait', 'saga.signal new-wait']);
  });

  test('stores its token before it looks: whoever pays in between is seen', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    world.interfere = (call) => {
      if (call !== 'store new-wait') return;
      // The user pays at this moment and finds the old token, which nobody waits for.
      world.put(orderIn('PAYMENT_IN_PROGRESS', { version: 8, writes: 18 }));
    };
    await step(world);
    expect(world.effects).toEqual(['store new-wait', 'saga.signal new-wait']);
    expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
  });

  test('reserves again where its user changes the items before it looks', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    world.interfere = (call) => {
      if (call !== 'store new-wait') return;
      world.put(orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION', revision: 4 }));
    };
    await expect(step(world)).rejects.toBeInstanceOf(OrderModified);
    expect(world.effects).toEqual(['store new-wait']);
  });

  test('sees a cancellation that comes in just before its move', async () => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK'));
    world.interfere = (call) => {
      if (call !== 'save order PENDING_PAYMENT') return;
      world.interfere = () => undefined;
      world.put(
        orderIn('ORDER_CANCELLED', { version: 8, writes: 18, releaseOwed: { revision: 3 } }),
      );
    };
    await expect(step(world)).rejects.toBeInstanceOf(OrderSettled);
    expect(world.effects).toEqual([RESERVE, 'store new-wait', 'save order PENDING_PAYMENT']);
    expect(world.order.status).toBe('ORDER_CANCELLED');
  });

  test('fails, to be repeated, where its own completion cannot be signalled', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'));
    world.failAt('saga.signal', new InfrastructureUnavailable('No answer.'));
    await expect(step(world)).rejects.toBeInstanceOf(InfrastructureUnavailable);
  });

  test('in a run that was superseded does nothing', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { run: 3 }));
    await expect(step(world)).rejects.toBeInstanceOf(RunSuperseded);
    expect(world.effects).toEqual([]);
  });

  test('of a retried payment moves straight to charging and completes itself', async () => {
    const world = new World(
      orderIn('PENDING_RESERVING_STOCK', {
        purpose: 'PAYMENT_RETRY',
        total: EUR_26,
      }),
      paymentIn('INITIATED'),
    );
    await step(world);
    expect(world.effects).toEqual([
      RESERVE,
      'store new-wait',
      'save order PAYMENT_IN_PROGRESS',
      'saga.signal new-wait',
    ]);
    expect(world.order).toMatchObject({
      status: 'PAYMENT_IN_PROGRESS',
      payments: [paymentIn('INITIATED')],
      heldRevision: 3,
      total: EUR_26,
      // A run that is lost now is found soon, while the stock is held.
      dueAtMs: NOW_MS + 30_000,
    });
  });
});

const RESERVED = {
  revision: 3,
  expiresAtMs: RESERVED_UNTIL_MS,
  lines: [{ productId: 'mug', unitPrice: { amount: 1500, currency: 'EUR' } }],
};
const THREE_MUGS = [{ productId: 'mug', quantity: 3 }];

describe('reserving a modified order', () => {
  const modified = (status: 'PENDING' | 'REJECTED', expiresAtMs = NOW_MS + 500_000) =>
    new World(
      orderIn('PENDING_RESERVING_STOCK', {
        purpose: 'MODIFICATION',
        former: { revision: 2, expiresAtMs },
        total: EUR_26,
        modification:
          status === 'PENDING'
            ? { status, items: THREE_MUGS }
            : { status, items: THREE_MUGS, code: 'OUT_OF_STOCK' },
      }),
    );

  test('applies the new items at the old price and never extends the time', async () => {
    const world = priced(modified('PENDING'));
    await step(world);
    expect(world.order).toMatchObject({
      status: 'PENDING_PAYMENT',
      heldRevision: 3,
      reservationExpiresAtMs: NOW_MS + 500_000,
      total: { amount: 3897, currency: 'EUR' },
      modification: { status: 'APPLIED' },
      items: [{ productId: 'mug', quantity: 3, unitPrice: { amount: 1299 } }],
    });
  });

  test('takes the earlier end where the reservation itself ends before the promise', async () => {
    const world = priced(modified('PENDING', NOW_MS + 999_000_000));
    await step(world);
    expect(world.order).toMatchObject({ reservationExpiresAtMs: RESERVED_UNTIL_MS });
  });

  test('refuses a new product priced in another currency', async () => {
    const world = modified('PENDING');
    const items = [
      { productId: 'mug', quantity: 1 },
      { productId: 'tea', quantity: 1 },
    ];
    world.put({ ...world.order, modification: { status: 'PENDING', items } });
    const refused = step(priced(world, { tea: '5 USD' }));
    await expect(refused).rejects.toBeInstanceOf(MixedCurrencies);
    expect(world.effects).toEqual([RESERVE, 'store new-wait']);
  });

  test('adopts what Inventory was found to hold, whatever the step was given', async () => {
    const world = modified('PENDING');
    world.put({ ...world.order, adopted: RESERVED } as typeof world.order);
    await step(world);
    expect(world.order).toMatchObject({
      status: 'PENDING_PAYMENT',
      heldRevision: 3,
      total: { amount: 3897, currency: 'EUR' },
      modification: { status: 'APPLIED' },
    });
    expect(world.order).not.toHaveProperty('adopted');
  });

  test('that was refused goes back to the old reservation, items and total', async () => {
    const world = modified('REJECTED');
    await step(world);
    expect(world.order).toMatchObject({
      status: 'PENDING_PAYMENT',
      heldRevision: 2,
      reservationExpiresAtMs: NOW_MS + 500_000,
      total: EUR_26,
      items: [{ productId: 'mug', quantity: 2 }],
      modification: { status: 'REJECTED' },
    });
  });

  test.each(['PENDING', 'REJECTED'] as const)(
    'with no time left (%s) completes itself',
    async (status) => {
      const world = priced(modified(status, NOW_MS));
      await step(world);
      expect(world.effects).toEqual([
        ...(status === 'PENDING' ? [RESERVE] : []),
        'store new-wait',
        'save order PENDING_PAYMENT',
        'saga.signal new-wait',
      ]);
    },
  );
});
