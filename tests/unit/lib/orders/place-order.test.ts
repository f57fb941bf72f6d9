import { expect, test } from 'vitest';
import type { Order } from '../../../../lib/orders/order.ts';
import { type PlaceOrderRequest, placeOrder } from '../../../../lib/orders/place-order.ts';
import { orderIn, World } from './fakes.ts';

const REQUEST: PlaceOrderRequest = {
  userId: 'alice',
  items: [{ productId: 'mug', quantity: 1 }],
  idempotencyKey: 'key-1',
  allowDuplicate: false,
  correlationId: 'corr-1',
};

/** A table in which the guard of a repeated request is visible, and its order only after `looks` reads. */
function guardFirst(looks: number) {
  const { service } = new World(orderIn('CREATED'));
  let placed: Order | undefined;
  let reads = 0;
  const orders = {
    place: (order: Order) => {
      placed = order;
      return Promise.resolve('GUARDED');
    },
    getGuard: (guardKey: string) => Promise.resolve({ guardKey, orderId: placed?.orderId }),
    getOrder: () => {
      reads += 1;
      return Promise.resolve(reads > looks ? placed : undefined);
    },
  };
  return { ...service, orders } as unknown as Parameters<typeof placeOrder>[0];
}

test('a repeated request waits for an order whose guard became visible first', async () => {
  await expect(placeOrder(guardFirst(1), REQUEST)).resolves.toMatchObject({ status: 'CREATED' });
});

test('a repeated request whose order stays invisible is told to come back', async () => {
  await expect(placeOrder(guardFirst(Infinity), REQUEST)).rejects.toMatchObject({
    name: 'ConcurrentUpdate',
    retryAfterSeconds: 1,
  });
});
