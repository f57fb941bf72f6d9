import { expect, test } from 'vitest';
import type { Clock } from '../../../../lib/platform/clock.ts';
import { GatewayBooks } from '../../../../tools/doctor/gateway-books.ts';
import { charge } from './support.ts';

/** A clock that fires every timer at once. */
const CLOCK: Clock = {
  now: () => 0,
  schedule: (_delayMs, callback) => {
    queueMicrotask(callback);
    return () => undefined;
  },
};

/** A gateway that refuses the calls with these numbers, from 0. */
function booksOf(isRefused: (call: number) => boolean) {
  const asked: string[] = [];
  const list = (orderId: string) => {
    asked.push(orderId);
    return isRefused(asked.length - 1)
      ? Promise.reject(new Error('The payment gateway answered 503.'))
      : Promise.resolve([charge('CAPTURED')]);
  };
  return { asked, books: new GatewayBooks({ listCharges: list }, CLOCK) };
}

const ORDERS = Array.from({ length: 40 }, (_none, index) => `ord_${String(index)}`);

test('every order is asked about once', async () => {
  const { asked, books } = booksOf(() => false);
  const found = await books.ofOrders(ORDERS);
  expect([...found.keys()].sort()).toEqual([...ORDERS].sort());
  expect(found.get('ord_7')).toEqual([charge('CAPTURED')]);
  expect(asked).toHaveLength(40);
  expect(books.lastFailure).toBeUndefined();
});

test('a hiccup is asked about again', async () => {
  const { asked, books } = booksOf((call) => call === 0);
  expect((await books.ofOrders(['ord_1'])).size).toBe(1);
  expect(asked).toEqual(['ord_1', 'ord_1']);
});

test('an order that is refused again and again is left out, the others are asked about', async () => {
  const { books } = booksOf((call) => call < 3);
  expect((await books.ofOrders(['ord_1'])).size).toBe(0);
  expect(books.lastFailure).toBe('The payment gateway answered 503.');
  expect((await books.ofOrders(['ord_2', 'ord_3'])).size).toBe(2);
});

test('a gateway that is away is not asked for each of a thousand orders', async () => {
  const { asked, books } = booksOf(() => true);
  for (const orderId of ORDERS) expect((await books.ofOrders([orderId])).size).toBe(0);
  expect(asked).toEqual(['ord_0', 'ord_1', 'ord_2'].flatMap((id) => [id, id, id]));
});
