import { describe, expect, test } from 'vitest';
import { InventoryRestarting, OutOfStock } from '../../../../../lib/inventory/refusals.ts';
import type {
  CancelledOrder,
  PendingReservingStockOrder,
} from '../../../../../lib/orders/order.ts';
import { reserveStock } from '../../../../../lib/orders/saga/reserve-stock.ts';
import {
  InventoryOutageBudgetSpent,
  InventoryPaused,
  OrderSettled,
  RunSuperseded,
} from '../../../../../lib/orders/saga/signals.ts';
import { NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const WISH = { status: 'PENDING', items: [{ productId: 'mug', quantity: 5 }] } as const;
const WANTED = [{ productId: 'mug', quantity: 5, unitPrice: { amount: 1299, currency: 'EUR' } }];

const reserving = (changes: Partial<PendingReservingStockOrder> = {}) =>
  new World(orderIn('PENDING_RESERVING_STOCK', changes), paymentIn('INITIATED'));

describe('reserving', () => {
  test('writes the status before it calls, at the revision of the order', async () => {
    const world = new World(orderIn('CREATED'));
    expect(await reserveStock(world.service, RUN)).toMatchObject({ revision: 3 });
    expect(world.effects).toEqual([
      'save order PENDING_RESERVING_STOCK',
      'inventory.reserve ord_1 revision 3',
    ]);
    expect(world.order).toMatchObject({ purpose: 'FIRST', revision: 3, run: 2 });
  });

  test('again calls with the same revision', async () => {
    const world = reserving();
    await reserveStock(world.service, RUN);
    expect(world.effects).toEqual(['inventory.reserve ord_1 revision 3']);
  });

  test('hands a refusal on by name and decides nothing itself', async () => {
    const world = reserving();
    world.failAt('inventory.reserve', new OutOfStock('None left.'));
    await expect(reserveStock(world.service, RUN)).rejects.toBeInstanceOf(OutOfStock);
    expect(world.order).toEqual(orderIn('PENDING_RESERVING_STOCK'));
  });

  test('does not take the old items for the new ones at the same revision', async () => {
    const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
    await expect(reserveStock(world.service, RUN)).rejects.toMatchObject({
      name: 'ModificationGivenUp',
    });
    world.reservedAtInventory = WANTED;
    expect(await reserveStock(world.service, RUN)).toMatchObject({ revision: 3 });
  });

  test('in a run that was superseded calls nobody', async () => {
    const world = reserving({ run: 3 });
    await expect(reserveStock(world.service, RUN)).rejects.toBeInstanceOf(RunSuperseded);
    expect(world.effects).toEqual([]);
  });

  test.each(['PENDING_PAYMENT', 'PAYMENT_IN_PROGRESS', 'PAYMENT_DONE'] as const)(
    'is passed over where an earlier run came further: %s',
    async (status) => {
      const world = new World(orderIn(status));
      expect(await reserveStock(world.service, RUN)).toBeNull();
      expect(world.effects).toEqual([]);
    },
  );

  test.each(['PAYMENT_FAILED', 'ORDER_FAILED', 'INVALID', 'ORDER_CANCELLED'] as const)(
    'is over where the order is %s',
    async (status) => {
      const world = new World(orderIn(status));
      await expect(reserveStock(world.service, RUN)).rejects.toBeInstanceOf(OrderSettled);
      expect(world.effects).toEqual([]);
    },
  );
});

describe('an Inventory that asks for a pause', () => {
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
    const postponed = { version: 8, dueAtMs: NOW_MS + 1000 };
    interfereOnce(world, orderIn('PENDING_RESERVING_STOCK', postponed));
    await expect(reserveStock(world.service, RUN)).rejects.toBeInstanceOf(InventoryPaused);
    expect(world.order).toEqual(
      orderIn('PENDING_RESERVING_STOCK', {
        version: 9,
        dueAtMs: NOW_MS + 1000,
        outage: { sinceMs: NOW_MS, notBeforeMs: NOW_MS + 7000 },
      }),
    );
  });

  test.each([
    ['was cancelled', orderIn('ORDER_CANCELLED', { version: 8 })],
    ['has a newer run', orderIn('PENDING_RESERVING_STOCK', { version: 8, run: 3 })],
  ])('writes nothing on an order that %s meanwhile', async (_what, meanwhile) => {
    const world = reserving();
    interfereOnce(world, meanwhile);
    await expect(reserveStock(world.service, RUN)).rejects.toBeInstanceOf(InventoryPaused);
    expect(world.order).toEqual(meanwhile);
  });

  const restarting = (retryAfterSeconds: number) =>
    new InventoryRestarting('Later.', { retryAfterSeconds });

  test('is not called before the time it named', async () => {
    const world = reserving();
    world.failAt('inventory.reserve', restarting(7));
    await expect(reserveStock(world.service, RUN)).rejects.toBeInstanceOf(InventoryPaused);
    expect(world.order).toMatchObject({
      outage: { sinceMs: NOW_MS, notBeforeMs: NOW_MS + 7000 },
    });
    world.interfere = () => undefined;
    world.clock.nowMs += 6999;
    await expect(reserveStock(world.service, RUN)).rejects.toBeInstanceOf(InventoryPaused);
    world.clock.nowMs += 1;
    expect(await reserveStock(world.service, RUN)).toMatchObject({ revision: 3 });
    expect(world.effects.filter((call) => call.startsWith('inventory.'))).toHaveLength(2);
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
    await expect(reserveStock(world.service, RUN)).rejects.toBeInstanceOf(
      isInBudget ? InventoryPaused : InventoryOutageBudgetSpent,
    );
  });
});
