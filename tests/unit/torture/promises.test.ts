import { expect, test } from 'vitest';
import { deafWaits } from '../../../torture/promises.ts';
import type { StoredOrder, StoredWait } from '../../../torture/world/snapshot.ts';

const order = { orderId: 'ord_1', run: 2, status: 'PENDING_PAYMENT' } as StoredOrder;
const wait: StoredWait = { orderId: 'ord_1', run: 2, enteredAtMs: 1, retryCount: 0, isOpen: true };

test('an order that waits for its user is woken by the token that is stored', () => {
  expect(deafWaits({ orders: [order], waits: [wait] })).toEqual([]);
});

test.each([
  ['no token', []],
  ['a token for which nobody waits', [{ ...wait, isOpen: false }]],
  ['the token of another run', [{ ...wait, run: 1 }]],
  ['the token of another order', [{ ...wait, orderId: 'ord_2' }]],
])('%s wakes nobody', (_what, waits) => {
  expect(deafWaits({ orders: [order], waits })).toHaveLength(1);
});

test('an order that waits for nobody needs no token', () => {
  expect(deafWaits({ orders: [{ ...order, status: 'PAYMENT_DONE' }], waits: [] })).toEqual([]);
});
