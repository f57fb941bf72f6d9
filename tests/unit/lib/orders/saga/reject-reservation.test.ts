import { describe, expect, test } from 'vitest';
import { InventoryTimeout, OutOfStock } from '../../../../../lib/inventory/refusals.ts';
import type { PendingReservingStockOrder } from '../../../../../lib/orders/order.ts';
import { rejectReservation } from '../../../../../lib/orders/saga/reject-reservation.ts';
import { OrderSettled, ReservationStands } from '../../../../../lib/orders/saga/signals.ts';
import { EUR_26, NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const WISH = { status: 'PENDING', items: [{ productId: 'mug', quantity: 5 }] } as const;
const WANTED = [{ productId: 'mug', quantity: 5, unitPrice: { amount: 1299, currency: 'EUR' } }];

const reserving = (changes: Partial<PendingReservingStockOrder> = {}) =>
  new World(orderIn('PENDING_RESERVING_STOCK', changes), paymentIn('INITIATED'));

/** The table of the specification, section 2, by hand: the status and reason after each failure. */
const OUTCOMES = [
  ['FIRST', 'OutOfStock', 'INVALID', 'OUT_OF_STOCK', false],
  ['FIRST', 'UnknownProduct', 'INVALID', 'UNKNOWN_PRODUCT', false],
  ['FIRST', 'MixedCurrencies', 'INVALID', 'MIXED_CURRENCIES', false],
  ['FIRST', 'ProductUnavailable', 'ORDER_FAILED', 'PRODUCT_UNAVAILABLE', false],
  ['FIRST', 'InventoryTimeout', 'ORDER_FAILED', 'INVENTORY_UNAVAILABLE', true],
  ['FIRST', 'LockContention', 'ORDER_FAILED', 'INVENTORY_UNAVAILABLE', true],
  ['FIRST', 'InventoryOutageBudgetSpent', 'ORDER_FAILED', 'INVENTORY_UNAVAILABLE', true],
  ['PAYMENT_RETRY', 'OutOfStock', 'PAYMENT_FAILED', 'OUT_OF_STOCK', false],
  ['PAYMENT_RETRY', 'ProductUnavailable', 'PAYMENT_FAILED', 'PRODUCT_UNAVAILABLE', false],
  ['FIRST', 'ReservationGone', 'ORDER_FAILED', 'RESERVATION_EXPIRED', false],
  ['FIRST', 'StaleRevision', 'ORDER_FAILED', 'RESERVATION_EXPIRED', false],
  ['FIRST', 'CacheTimeout', 'ORDER_FAILED', 'INVENTORY_UNAVAILABLE', true],
  ['FIRST', 'InfrastructureUnavailable', 'ORDER_FAILED', 'TEMPORARILY_UNAVAILABLE', true],
  ['FIRST', 'States.Timeout', 'ORDER_FAILED', 'TEMPORARILY_UNAVAILABLE', true],
  ['PAYMENT_RETRY', 'UnknownProduct', 'PAYMENT_FAILED', 'UNKNOWN_PRODUCT', false],
  ['PAYMENT_RETRY', 'ReservationGone', 'PAYMENT_FAILED', 'RESERVATION_EXPIRED', false],
  ['PAYMENT_RETRY', 'StaleRevision', 'PAYMENT_FAILED', 'RESERVATION_EXPIRED', false],
  ['PAYMENT_RETRY', 'InventoryTimeout', 'PAYMENT_FAILED', 'INVENTORY_UNAVAILABLE', true],
  ['PAYMENT_RETRY', 'InfrastructureUnavailable', 'PAYMENT_FAILED', 'TEMPORARILY_UNAVAILABLE', true],
] as const;

describe('a reservation that failed', () => {
  const retrying = { purpose: 'PAYMENT_RETRY', total: EUR_26 } as const;

  test('fails once, with one letter, though somebody else writes the order in between', async () => {
    const world = reserving();
    world.touchBefore('save order');
    await rejectReservation(world.service, { ...RUN, failure: 'InventoryTimeout' });
    expect(world.order.status).toBe('ORDER_FAILED');
    expect(world.deadLetters).toHaveLength(1);
  });

  //   stale attempt   reads change 1 ── (stalls) ─────────────── writes: refused, reads change 2
  //   next attempt            rejects change 1 ── change 2
  test('leaves the next change alone', async () => {
    const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
    world.heldAtInventory = { status: 'HELD', revision: 2 };
    world.interfere = (call) => {
      const { order } = world;
      if (!call.startsWith('save order') || order.revision === 4) return;
      world.put({ ...order, revision: 4, writes: order.writes + 4 });
    };
    await expect(
      rejectReservation(world.service, { ...RUN, failure: 'OutOfStock' }),
    ).rejects.toBeInstanceOf(OrderSettled);
    expect(world.order.modification).toEqual(WISH);
  });

  test.each(OUTCOMES)(
    '%s, %s: %s %s; dead letter: %s',
    async (purpose, failure, status, reason, isExhaustion) => {
      const world = reserving(purpose === 'FIRST' ? { purpose } : retrying);
      await rejectReservation(world.service, { ...RUN, failure });
      // An earlier, unanswered try may still arrive; only a tombstone stops it.
      expect(world.order).toMatchObject({
        status,
        reason,
        releaseOwed: { revision: 3 },
        dueAtMs: NOW_MS + 30_000,
      });
      expect(world.deadLetters).toHaveLength(isExhaustion ? 1 : 0);
      if (purpose === 'PAYMENT_RETRY') {
        expect(world.payment()).toMatchObject({ status: 'FAILED', code: reason });
        expect(world.payment()).not.toHaveProperty('voidOwed');
        expect(world.effects[0]).toBe('save order PAYMENT_FAILED with payment FAILED');
        expect(world.methods).toEqual(new Map());
      }
    },
  );

  test('PAYMENT_RETRY, acknowledged though never charged: the refund is owed in the same write', async () => {
    const world = reserving(retrying);
    world.put(paymentIn('CAPTURED'));
    await rejectReservation(world.service, { ...RUN, failure: 'OutOfStock' });
    expect(world.order.status).toBe('PAYMENT_FAILED');
    expect(world.payment()).toMatchObject({
      status: 'CAPTURED',
      refundOwed: { reason: 'OUT_OF_STOCK', dueAtMs: NOW_MS + 30_000 },
    });
  });

  test.each(['DECLINED', 'VOIDED'] as const)(
    'PAYMENT_RETRY, acknowledged as %s though never charged: that stands',
    async (status) => {
      const world = reserving(retrying);
      world.put(paymentIn(status));
      await rejectReservation(world.service, { ...RUN, failure: 'OutOfStock' });
      expect(world.order.status).toBe('PAYMENT_FAILED');
      expect(world.payment().status).toBe(status);
    },
  );

  test.each(['OutOfStock', 'UnknownProduct', 'ProductUnavailable', 'InventoryTimeout'])(
    'MODIFICATION, %s: the old reservation stands where it is held still',
    async (failure) => {
      const former = { revision: 2, expiresAtMs: NOW_MS + 500_000 };
      const world = reserving({ purpose: 'MODIFICATION', modification: WISH, former });
      world.heldAtInventory = { status: 'HELD', revision: 2 };
      await expect(rejectReservation(world.service, { ...RUN, failure })).rejects.toBeInstanceOf(
        ReservationStands,
      );
      expect(world.order).toMatchObject({
        status: 'PENDING_RESERVING_STOCK',
        modification: { status: 'REJECTED' },
        former: { ...former, revision: 3 },
      });
      expect(world.order).not.toHaveProperty('adopted');
    },
  );

  test('MODIFICATION: the old items take the new revision, which a late call then finds taken', async () => {
    const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
    world.heldAtInventory = { status: 'HELD', revision: 2 };
    await rejectReservation(world.service, { ...RUN, failure: 'InventoryTimeout' }).catch(() => 0);
    expect(world.calls).toEqual([
      'find order ord_1',
      'inventory.find ord_1 revision 3',
      'inventory.reserve ord_1 revision 3',
      'save order PENDING_RESERVING_STOCK',
    ]);
  });

  test('MODIFICATION: what arrived between asking and keeping the old items is adopted', async () => {
    const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
    world.heldAtInventory = { status: 'HELD', revision: 2 };
    world.reservedAtInventory = WANTED;
    await expect(
      rejectReservation(world.service, { ...RUN, failure: 'InventoryTimeout' }),
    ).rejects.toBeInstanceOf(ReservationStands);
    expect(world.order).toMatchObject({ modification: WISH, adopted: { revision: 3 } });
  });

  test('MODIFICATION, repeated after a crash: old items at the new revision are not adopted', async () => {
    const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
    world.heldAtInventory = { status: 'HELD', revision: 3 };
    await expect(
      rejectReservation(world.service, { ...RUN, failure: 'InventoryTimeout' }),
    ).rejects.toBeInstanceOf(ReservationStands);
    expect(world.order).toMatchObject({ modification: { status: 'REJECTED' } });
    expect(world.order).not.toHaveProperty('adopted');
  });

  test('MODIFICATION: the order fails where the old items expired meanwhile and are gone', async () => {
    const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
    world.heldAtInventory = { status: 'HELD', revision: 2 };
    world.failAt('inventory.reserve', new OutOfStock('None left.'));
    await rejectReservation(world.service, { ...RUN, failure: 'InventoryTimeout' });
    expect(world.order).toMatchObject({
      status: 'ORDER_FAILED',
      reason: 'RESERVATION_EXPIRED',
      releaseOwed: { revision: 3 },
    });
  });

  test('MODIFICATION: what is reserved in two currencies fails the order instead of being tried for ever', async () => {
    const world = reserving({
      purpose: 'MODIFICATION',
      modification: WISH,
      adopted: { revision: 3, expiresAtMs: NOW_MS, lines: [] },
    });
    world.heldAtInventory = { status: 'HELD', revision: 3, items: WANTED };
    await rejectReservation(world.service, { ...RUN, failure: 'MixedCurrencies' });
    expect(world.order).toMatchObject({
      status: 'ORDER_FAILED',
      reason: 'MIXED_CURRENCIES',
      modification: { status: 'REJECTED' },
      releaseOwed: { revision: 3 },
    });
  });

  test('MODIFICATION, answer lost: what Inventory holds at the new revision is adopted', async () => {
    const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
    world.heldAtInventory = { status: 'HELD', revision: 3, items: WANTED };
    await expect(
      rejectReservation(world.service, { ...RUN, failure: 'InventoryTimeout' }),
    ).rejects.toBeInstanceOf(ReservationStands);
    expect(world.order).toMatchObject({ modification: WISH, adopted: { revision: 3 } });
  });

  test.each([undefined, { status: 'RELEASED' as const, revision: 3 }])(
    'MODIFICATION: the order fails where Inventory holds nothing (%j)',
    async (held) => {
      const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
      world.heldAtInventory = held;
      await rejectReservation(world.service, { ...RUN, failure: 'OutOfStock' });
      expect(world.order).toMatchObject({
        status: 'ORDER_FAILED',
        modification: { status: 'REJECTED' },
        releaseOwed: { revision: 3 },
      });
    },
  );

  test.each(['inventory.find', 'inventory.reserve'])(
    'MODIFICATION: exhausted and unreachable to the last (%s) fails and owes the release',
    async (call) => {
      const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
      world.heldAtInventory = { status: 'HELD', revision: 2 };
      world.failAt(call, new InventoryTimeout('No answer.'));
      await rejectReservation(world.service, { ...RUN, failure: 'InventoryTimeout' });
      expect(world.order).toMatchObject({ status: 'ORDER_FAILED', releaseOwed: { revision: 3 } });
      expect(world.deadLetters).toHaveLength(1);
    },
  );

  test('MODIFICATION: a refusal that Inventory cannot be asked about is asked about again', async () => {
    const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
    const before = world.order;
    world.failAt('inventory.find', new InventoryTimeout('No answer.'));
    await expect(
      rejectReservation(world.service, { ...RUN, failure: 'OutOfStock' }),
    ).rejects.toBeInstanceOf(InventoryTimeout);
    expect(world.order).toEqual(before);
    expect(world.deadLetters).toEqual([]);
  });

  test.each([
    ['OutOfStock', 'OUT_OF_STOCK'],
    ['ReservationGone', 'RESERVATION_EXPIRED'],
    ['StaleRevision', 'RESERVATION_EXPIRED'],
    ['LockContention', 'INVENTORY_UNAVAILABLE'],
    ['InfrastructureUnavailable', 'TEMPORARILY_UNAVAILABLE'],
  ])('MODIFICATION, %s: is refused with %s', async (failure, code) => {
    const world = reserving({ purpose: 'MODIFICATION', modification: WISH });
    world.heldAtInventory = { status: 'HELD', revision: 2 };
    await expect(rejectReservation(world.service, { ...RUN, failure })).rejects.toBeInstanceOf(
      ReservationStands,
    );
    expect(world.order.modification).toEqual({ ...WISH, status: 'REJECTED', code });
    expect(world.deadLetters).toEqual([]);
  });

  test('MODIFICATION, decided already: asks nobody again', async () => {
    const world = reserving({
      purpose: 'MODIFICATION',
      modification: { ...WISH, status: 'REJECTED', code: 'OUT_OF_STOCK' },
    });
    await expect(
      rejectReservation(world.service, { ...RUN, failure: 'InventoryTimeout' }),
    ).rejects.toBeInstanceOf(ReservationStands);
    expect(world.effects).toEqual([]);
  });

  test('before the first write of the run leaves a dead letter and the order as it is', async () => {
    const world = new World(orderIn('CREATED'));
    await rejectReservation(world.service, { ...RUN, failure: 'InfrastructureUnavailable' });
    expect(world.effects).toEqual(['dead letter reserve-stock InfrastructureUnavailable']);
    expect(world.order).toEqual(orderIn('CREATED'));
  });

  test.each(['PENDING_PAYMENT', 'PAYMENT_DONE', 'ORDER_CANCELLED'] as const)(
    'of an order that is %s by now rejects nothing',
    async (status) => {
      const world = new World(orderIn(status));
      await expect(
        rejectReservation(world.service, { ...RUN, failure: 'OutOfStock' }),
      ).rejects.toBeInstanceOf(OrderSettled);
      expect(world.effects).toEqual([]);
    },
  );

  test('again sends its dead letter again: whether it was sent is unknown', async () => {
    const world = new World(orderIn('ORDER_FAILED'));
    await expect(
      rejectReservation(world.service, { ...RUN, failure: 'InventoryTimeout' }),
    ).rejects.toBeInstanceOf(OrderSettled);
    expect(world.effects).toEqual(['dead letter reserve-stock InventoryTimeout']);
  });
});
