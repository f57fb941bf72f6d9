import { describe, expect, test } from 'vitest';
import { IN_FLIGHT_MS } from '../../../../lib/orders/open-orders.ts';
import { itemsKeyOf } from '../../../../lib/orders/order-service.ts';
import { type PlaceOrderRequest, placeOrder } from '../../../../lib/orders/place-order.ts';
import { IdempotencyConflict, InfrastructureUnavailable } from '../../../../lib/platform/errors.ts';
import { NOW_MS, orderIn, World } from './fakes.ts';

const REQUEST: PlaceOrderRequest = {
  userId: 'alice',
  items: [{ productId: 'mug', quantity: 1 }],
  idempotencyKey: 'key-1',
  allowDuplicate: false,
  correlationId: 'corr-1',
};
const WITH_ANOTHER_KEY = { ...REQUEST, idempotencyKey: 'key-2' };
const TWO = { ...REQUEST, items: [{ productId: 'mug', quantity: 2 }] };

/** A world in which alice has one cancelled order, and nothing open. */
const newWorld = () => new World(orderIn('ORDER_CANCELLED'));

/** Places it in a process that dies at this call. */
async function dyingAt(call: string, world: World): Promise<void> {
  world.failAt(call, new InfrastructureUnavailable('The process dies here.'));
  await expect(placeOrder(world.service, REQUEST)).rejects.toBeInstanceOf(
    InfrastructureUnavailable,
  );
  world.interfere = () => undefined;
  world.calls.length = 0;
}

describe('placing an order', () => {
  test('enters it, writes it and starts its saga, each with one call', async () => {
    const world = newWorld();
    const { orderId, placedAs } = await placeOrder(world.service, REQUEST);
    expect(world.calls).toEqual([
      `enter ${orderId}`,
      `place ${orderId}`,
      `saga.start ${orderId}-1`,
    ]);
    expect(world.openOrders.entries).toEqual([
      { itemsKey: placedAs, orderId, atMs: NOW_MS, version: 1 },
    ]);
    expect(placedAs).toBe(itemsKeyOf(REQUEST.items));
  });

  test('of a bad quantity enters nothing', async () => {
    const world = newWorld();
    const items = [{ productId: 'mug', quantity: 0 }];
    const { orderId, status } = await placeOrder(world.service, { ...REQUEST, items });
    expect(status).toBe('INVALID');
    expect(world.calls).toEqual([`place ${orderId}`]);
  });

  test('over one that is final takes its place', async () => {
    const world = newWorld();
    const first = { itemsKey: itemsKeyOf(REQUEST.items), orderId: 'ord_1', atMs: 1, version: 1 };
    world.openOrders = { version: 1, entries: [first] };
    const { orderId } = await placeOrder(world.service, REQUEST);
    expect(world.openOrders.entries.map((entry) => entry.orderId)).toEqual([orderId]);
  });

  test('goes on where the open orders changed at the same moment', async () => {
    const world = newWorld();
    const first = { itemsKey: itemsKeyOf(REQUEST.items), orderId: 'ord_1', atMs: 1, version: 1 };
    world.openOrders = { version: 1, entries: [first] };
    let changes = 0;
    world.interfere = (call) => {
      if (call.startsWith('find orders') && (changes += 1) === 1) {
        world.openOrders = { version: 2, entries: [first] };
      }
    };
    await expect(placeOrder(world.service, REQUEST)).resolves.toMatchObject({ status: 'CREATED' });
    expect(world.openOrders.version).toBe(3);
  });
});

describe('an order whose process died before it was written', () => {
  test('is placed by the same request at once', async () => {
    const world = newWorld();
    await dyingAt('place', world);
    const { orderId } = await placeOrder(world.service, REQUEST);
    expect(world.openOrders.entries).toMatchObject([{ orderId }]);
    expect(world.stored.get(orderId)).toMatchObject({ status: 'CREATED' });
  });

  test('refuses another request of these items for a minute, and no longer', async () => {
    const world = newWorld();
    await dyingAt('place', world);
    world.clock.nowMs += IN_FLIGHT_MS - 1;
    await expect(placeOrder(world.service, WITH_ANOTHER_KEY)).rejects.toMatchObject({
      name: 'OrderInFlight',
      retryAfterSeconds: 1,
    });
    world.clock.nowMs += 1;
    const { orderId } = await placeOrder(world.service, WITH_ANOTHER_KEY);
    expect(world.openOrders.entries).toMatchObject([{ orderId }]);
  });

  test('is a duplicate by then, if another request has placed the same', async () => {
    const world = newWorld();
    await dyingAt('place', world);
    world.clock.nowMs += IN_FLIGHT_MS;
    const { orderId } = await placeOrder(world.service, WITH_ANOTHER_KEY);
    await expect(placeOrder(world.service, REQUEST)).rejects.toMatchObject({
      name: 'DuplicateOrder',
      details: { orderId },
    });
  });
});

describe('the same request again', () => {
  test('finds its order, with its entry and without it', async () => {
    const world = newWorld();
    const first = await placeOrder(world.service, REQUEST);
    expect(await placeOrder(world.service, REQUEST)).toEqual(first);
    world.openOrders = { version: 9, entries: [] };
    expect(await placeOrder(world.service, REQUEST)).toEqual(first);
    const other = { itemsKey: first.placedAs, orderId: 'ord_1', atMs: NOW_MS, version: 9 };
    world.openOrders = { version: 10, entries: [other] };
    expect(await placeOrder(world.service, REQUEST)).toEqual(first);
    expect(world.openOrders.entries).toEqual([other]);
  });

  test('for other items is a conflict', async () => {
    const world = newWorld();
    await placeOrder(world.service, REQUEST);
    await expect(placeOrder(world.service, TWO)).rejects.toBeInstanceOf(IdempotencyConflict);
  });

  test('runs a failed order again', async () => {
    const world = newWorld();
    const { orderId, placedAs } = await placeOrder(world.service, REQUEST);
    world.put(orderIn('ORDER_FAILED', { orderId, placedAs }));
    const again = await placeOrder(world.service, REQUEST);
    expect(again).toMatchObject({ orderId, status: 'CREATED', run: 3 });
    expect(world.openOrders.entries).toContainEqual(
      expect.objectContaining({ orderId, version: again.version }),
    );
  });

  test('is told to come back while its order cannot be seen', async () => {
    const { service } = newWorld();
    service.orders.place = () => Promise.resolve('EXISTS');
    await expect(placeOrder(service, REQUEST)).rejects.toMatchObject({
      name: 'ConcurrentUpdate',
      retryAfterSeconds: 1,
    });
  });
});
