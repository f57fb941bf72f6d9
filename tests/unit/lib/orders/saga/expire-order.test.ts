import { describe, expect, test } from 'vitest';
import { expireOrder } from '../../../../../lib/orders/saga/expire-order.ts';
import {
  OrderModified,
  OrderSettled,
  PaymentStarted,
  StillAwaitingPayment,
} from '../../../../../lib/orders/saga/signals.ts';
import { NOW_MS, orderIn, RUN, World } from '../fakes.ts';

describe('expiring', () => {
  test('fails the order whose time is up and owes its stock in the same write', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { reservationExpiresAtMs: NOW_MS }));
    await expireOrder(world.service, RUN);
    expect(world.effects).toEqual(['save order ORDER_FAILED']);
    expect(world.order).toMatchObject({
      status: 'ORDER_FAILED',
      reason: 'RESERVATION_EXPIRED',
      releaseOwed: { revision: 3 },
      dueAtMs: NOW_MS + 30_000,
    });
  });

  test('leaves an order that still has time', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    await expect(expireOrder(world.service, RUN)).rejects.toBeInstanceOf(StillAwaitingPayment);
    expect(world.effects).toEqual([]);
  });

  test('follows the user who pays in the last moment', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { reservationExpiresAtMs: NOW_MS }));
    world.interfere = (call) => {
      if (call === 'save order ORDER_FAILED') {
        world.put(orderIn('PAYMENT_IN_PROGRESS', { version: 8, writes: 18 }));
      }
    };
    await expect(expireOrder(world.service, RUN)).rejects.toBeInstanceOf(PaymentStarted);
    expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
  });

  test.each([
    ['PAYMENT_IN_PROGRESS', PaymentStarted],
    ['PAYMENT_DONE', PaymentStarted],
    ['CREATED', OrderModified],
    ['PENDING_RESERVING_STOCK', OrderModified],
    ['PAYMENT_FAILED', OrderSettled],
    ['ORDER_FAILED', OrderSettled],
    ['INVALID', OrderSettled],
    ['ORDER_CANCELLED', OrderSettled],
  ] as const)('an order that is %s follows its status', async (status, expected) => {
    const world = new World(orderIn(status));
    await expect(expireOrder(world.service, RUN)).rejects.toBeInstanceOf(expected);
    expect(world.effects).toEqual([]);
  });
});
