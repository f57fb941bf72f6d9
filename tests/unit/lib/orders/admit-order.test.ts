import { describe, expect, test } from 'vitest';
import { admissionOf, admitOrder } from '../../../../lib/orders/admit-order.ts';
import type { Admission, OpenOrderEntry } from '../../../../lib/orders/open-orders.ts';
import { itemsKeyOf } from '../../../../lib/orders/order-service.ts';
import { ConcurrentUpdate } from '../../../../lib/platform/errors.ts';
import { NOW_MS, orderIn, World } from './fakes.ts';

const MUGS = [{ productId: 'mug', quantity: 2 }];
const MUG = itemsKeyOf(MUGS);
const entryOf = (orderId: string, changes: Partial<OpenOrderEntry> = {}): OpenOrderEntry => ({
  itemsKey: MUG,
  orderId,
  atMs: NOW_MS,
  version: 1,
  ...changes,
});
const PLACE: Admission = { purpose: 'PLACE', entry: entryOf('ord_new'), allowDuplicate: false };

/** A world in which alice has this order and these entries. */
function worldOf(order: ConstructorParameters<typeof World>[0], ...entries: OpenOrderEntry[]) {
  const world = new World(order);
  world.openOrders = { version: 1, entries };
  return world;
}

const refused = (world: World, admission = PLACE) =>
  admitOrder(world.service, 'alice', admission).catch((error: unknown) => error);

describe('an order is refused', () => {
  test('as a duplicate, and led to the first', async () => {
    const world = worldOf(orderIn('PENDING_PAYMENT'), entryOf('ord_1'));
    expect(await refused(world)).toMatchObject({
      name: 'DuplicateOrder',
      details: { orderId: 'ord_1' },
      links: { order: '/order/ord_1' },
    });
    expect(world.effects).toEqual([]);
  });

  test('as a duplicate of a failed one, and told to retry that', async () => {
    const world = worldOf(orderIn('ORDER_FAILED'), entryOf('ord_1'));
    expect(await refused(world)).toMatchObject({
      name: 'DuplicateOrder',
      message: expect.stringContaining('Retry that one') as string,
      links: { order: '/order/ord_1', retryOrder: '/order/retryorder/ord_1' },
    });
  });

  test('while another one of the same items is being placed', async () => {
    const world = worldOf(orderIn('CREATED'), entryOf('ord_9'));
    expect(await refused(world)).toMatchObject({
      name: 'OrderInFlight',
      details: { orderId: 'ord_9' },
      retryAfterSeconds: 1,
    });
  });

  test('where all places are taken, by these', async () => {
    const entries = Array.from({ length: 10 }, (_none, index) =>
      entryOf(`ord_${String(index + 1)}`, { itemsKey: `items_${String(index)}` }),
    );
    const world = worldOf(orderIn('PENDING_PAYMENT'), ...entries);
    expect(await refused(world)).toMatchObject({
      name: 'TooManyOpenOrders',
      details: {
        orders: [
          {
            orderId: 'ord_1',
            status: 'PENDING_PAYMENT',
            links: { self: { method: 'GET', href: '/order/ord_1' } },
          },
          {
            orderId: 'ord_2',
            status: null,
            links: { self: { method: 'GET', href: '/order/ord_2' } },
          },
          ...Array.from({ length: 8 }, () => expect.anything() as object),
        ],
      },
    });
  });

  test('for the moment, where the item changes between its reading and its writing', async () => {
    const world = worldOf(orderIn('ORDER_CANCELLED'), entryOf('ord_1'));
    world.interfere = (call) => {
      if (call.startsWith('find orders')) world.openOrders = { version: 2, entries: [] };
    };
    expect(await refused(world)).toBeInstanceOf(ConcurrentUpdate);
    expect(world.openOrders).toEqual({ version: 2, entries: [] });
  });
});

test('an order is entered over what a refused write has seen, without a reading of the item', async () => {
  const world = worldOf(orderIn('ORDER_CANCELLED'), entryOf('ord_1'));
  expect(await admitOrder(world.service, 'alice', PLACE, world.openOrders)).toBe('ENTERED');
  expect(world.calls).toEqual(['find orders ord_1,ord_new', 'save open orders ord_new']);
});

test('an order that is placed already is told', async () => {
  const world = worldOf(orderIn('CREATED'), entryOf('ord_9', { itemsKey: 'items_else' }));
  const again: Admission = { ...PLACE, entry: entryOf('ord_1') };
  expect(await admitOrder(world.service, 'alice', again)).toBe('EXISTS');
  expect(world.effects).toEqual([]);
});

test.each([
  [undefined, MUG],
  [[{ productId: 'cup', quantity: 1 }], itemsKeyOf([{ productId: 'cup', quantity: 1 }])],
])('a stored order is entered for its next version', (items, itemsKey) => {
  const { service } = new World(orderIn('CREATED'));
  expect(admissionOf(service, 'MODIFY', orderIn('CREATED', { items: MUGS }), items)).toEqual({
    purpose: 'MODIFY',
    entry: { itemsKey, orderId: 'ord_1', atMs: NOW_MS, version: 8 },
    heldItemsKey: MUG,
  });
});
