import { describe, expect, test } from 'vitest';
import { cancelOrder } from '../../../../lib/orders/cancel-order.ts';
import type { Order } from '../../../../lib/orders/order.ts';
import {
  IllegalTransition,
  InfrastructureUnavailable,
  NotFound,
} from '../../../../lib/platform/errors.ts';
import { EUR_26, NOW_MS, orderIn, paymentIn, World } from './fakes.ts';

const cancel = (world: World, userId = 'alice') => cancelOrder(world.service, 'ord_1', userId);

const OWED = { releaseOwed: { revision: 2 }, dueAtMs: NOW_MS + 5 };

/** By hand: the order, the revision that the same write owes back, the signalled task token. */
const CANCELLED: readonly (readonly [string, Order, number | undefined, string | undefined])[] = [
  ['CREATED', orderIn('CREATED'), 3, undefined],
  ['PENDING_RESERVING_STOCK', orderIn('PENDING_RESERVING_STOCK'), 3, undefined],
  ['PENDING_PAYMENT', orderIn('PENDING_PAYMENT'), 3, 'user-wait'],
  ['PAYMENT_FAILED', orderIn('PAYMENT_FAILED'), undefined, undefined],
  ['PAYMENT_FAILED, owing', orderIn('PAYMENT_FAILED', OWED), 2, undefined],
  ['ORDER_FAILED', orderIn('ORDER_FAILED'), undefined, undefined],
  ['ORDER_FAILED, owing', orderIn('ORDER_FAILED', OWED), 2, undefined],
];

describe('cancelling an order', () => {
  test.each(CANCELLED)('that is %s', async (_what, order, owed, token) => {
    const world = new World(order);
    await cancel(world);
    expect(world.effects).toEqual([
      'save order ORDER_CANCELLED',
      ...(token === undefined ? [] : [`saga.signal ${token}`]),
    ]);
    expect(world.order).toMatchObject({ status: 'ORDER_CANCELLED', reason: 'USER_CANCELLED' });
    expect(world.order.history.at(-1)).toMatchObject({ from: order.status, by: 'user' });
    if (owed === undefined) {
      expect(world.order).not.toHaveProperty('releaseOwed');
      expect(world.order).not.toHaveProperty('dueAtMs');
    } else {
      expect(world.order).toMatchObject({
        releaseOwed: { revision: owed },
        dueAtMs: NOW_MS + 30_000,
      });
    }
  });

  test('again is harmless', async () => {
    const world = new World(orderIn('ORDER_CANCELLED'));
    expect(await cancel(world)).toEqual(orderIn('ORDER_CANCELLED'));
    expect(world.effects).toEqual([]);
  });

  test.each([
    ['PAYMENT_IN_PROGRESS', 5],
    ['PAYMENT_DONE', undefined],
    ['INVALID', undefined],
  ] as const)('that is %s is refused; to be tried again in %s s', async (status, seconds) => {
    const world = new World(orderIn(status));
    const refusal = await cancel(world).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(IllegalTransition);
    expect(refusal).toMatchObject({ retryAfterSeconds: seconds });
    expect(world.effects).toEqual([]);
  });

  test('of somebody else is not found', async () => {
    const world = new World(orderIn('CREATED'));
    await expect(cancel(world, 'mallory')).rejects.toBeInstanceOf(NotFound);
    expect(world.effects).toEqual([]);
  });

  test('whose payment is being retried fails the payment in the same write', async () => {
    const world = new World(
      orderIn('PENDING_RESERVING_STOCK', {
        purpose: 'PAYMENT_RETRY',
        total: EUR_26,
      }),
      paymentIn('INITIATED'),
    );
    await cancel(world);
    expect(world.effects).toEqual(['save order ORDER_CANCELLED with payment FAILED']);
    expect(world.payment()).toMatchObject({ status: 'FAILED', code: 'ORDER_CANCELLED' });
    expect(world.payment()).not.toHaveProperty('voidOwed');
    expect(world.payment()).not.toHaveProperty('methodId');
    expect(world.methods).toEqual(new Map());
  });

  test('refuses the modification that waited, in the same write', async () => {
    const modification = { status: 'PENDING', items: [] } as const;
    const world = new World(
      orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION', modification }),
    );
    await cancel(world);
    expect(world.order.modification).toMatchObject({
      status: 'REJECTED',
      code: 'ORDER_CANCELLED',
    });
  });

  test('loses against a payment that was a moment faster', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    const paid = orderIn('PAYMENT_IN_PROGRESS', { version: 8, writes: 18 });
    world.interfere = (call) => {
      if (call === 'save order ORDER_CANCELLED') world.put(paid);
    };
    await expect(cancel(world)).rejects.toBeInstanceOf(IllegalTransition);
    expect(world.order).toEqual(paid);
  });

  test('stands though the saga could not be woken', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    world.failAt('saga.signal', new InfrastructureUnavailable('No answer.'));
    expect(await cancel(world)).toMatchObject({ status: 'ORDER_CANCELLED' });
  });
});
