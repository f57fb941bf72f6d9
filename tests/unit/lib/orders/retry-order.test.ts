import { describe, expect, test } from 'vitest';
import { retryOrder } from '../../../../lib/orders/retry-order.ts';
import { ConcurrentUpdate, IllegalTransition } from '../../../../lib/platform/errors.ts';
import { NOW_MS, orderIn, World } from './fakes.ts';

describe('retrying an order', () => {
  test('that failed runs it again at a new run and a new revision', async () => {
    const world = new World(orderIn('ORDER_FAILED', { releaseOwed: { revision: 3 } }));
    await retryOrder(world.service, world.order, 'req_1');
    expect(world.effects).toEqual(['save open orders ord_1', 'save order CREATED']);
    expect(world.order).toMatchObject({
      status: 'CREATED',
      run: 3,
      revision: 4,
      lastRequest: 'req_1',
      dueAtMs: NOW_MS + 30_000,
    });
    expect(world.order).not.toHaveProperty('releaseOwed');
    expect(world.order.history.at(-1)).toMatchObject({ reason: 'ORDER_RETRIED', by: 'user' });
  });

  test('with a request that did it before changes nothing', async () => {
    const world = new World(orderIn('CREATED', { lastRequest: 'req_1' }));
    expect(await retryOrder(world.service, world.order, 'req_1')).toEqual(world.order);
    expect(world.effects).toEqual([]);
  });

  test.each([
    [39, true],
    [40, false],
    [50, false],
  ])('in run %i is allowed: %s', async (run, isAllowed) => {
    const world = new World(orderIn('ORDER_FAILED', { run }));
    const retried = retryOrder(world.service, world.order);
    if (isAllowed) expect(await retried).toMatchObject({ status: 'CREATED', run: run + 1 });
    else await expect(retried).rejects.toBeInstanceOf(IllegalTransition);
    expect(world.effects).toHaveLength(isAllowed ? 2 : 0);
  });

  test.each([
    'CREATED',
    'PENDING_RESERVING_STOCK',
    'PENDING_PAYMENT',
    'PAYMENT_IN_PROGRESS',
    'PAYMENT_DONE',
    'PAYMENT_FAILED',
    'INVALID',
    'ORDER_CANCELLED',
  ] as const)('that is %s is refused', async (status) => {
    const world = new World(orderIn(status));
    await expect(retryOrder(world.service, world.order, 'req_1')).rejects.toBeInstanceOf(
      IllegalTransition,
    );
    expect(world.effects).toEqual([]);
  });

  test('without a place among the open ones is refused, and stays as it is', async () => {
    const world = new World(orderIn('ORDER_FAILED'));
    const others = Array.from({ length: 10 }, (_none, index) => `ord_${String(index + 2)}`);
    world.put(...others.map((orderId) => orderIn('PENDING_PAYMENT', { orderId })));
    const entries = others.map((orderId) => ({ itemsKey: orderId, orderId, atMs: 1, version: 1 }));
    world.openOrders = { version: 1, entries };
    await expect(retryOrder(world.service, world.order, 'alice')).rejects.toMatchObject({
      name: 'TooManyOpenOrders',
    });
    expect(world.order).toEqual(orderIn('ORDER_FAILED'));
  });

  test('that somebody else moves at the same moment is refused', async () => {
    const world = new World(orderIn('ORDER_FAILED'));
    const read = world.order;
    world.put(orderIn('ORDER_CANCELLED', { version: 8, writes: 18 }));
    await expect(retryOrder(world.service, read)).rejects.toBeInstanceOf(ConcurrentUpdate);
    expect(world.order.status).toBe('ORDER_CANCELLED');
  });
});
