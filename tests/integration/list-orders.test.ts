import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Customer, call, newProduct, type OrderDocument } from '../support/shop.ts';
import { aMoment, eventually, startTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

let stack: TestStack;
let productId: string;

beforeAll(async () => {
  stack = await startTestStack({ RESERVATION_TTL_SECONDS: '3600', SCHEDULE_SECONDS: '3600' });
  productId = await newProduct(1000);
});

afterAll(async () => {
  await stack.stop();
});

interface OrdersPage {
  readonly orders: readonly OrderDocument[];
  readonly next: string | null;
}

async function list(customer: Customer, query = ''): Promise<OrdersPage> {
  const answer = await customer.call('GET', `/order${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json as OrdersPage;
}

const ids = ({ orders }: OrdersPage) => orders.map(({ orderId }) => orderId);

/** Places orders a second apart; returns their ids, newest first. */
async function placeApart(customer: Customer, count: number): Promise<string[]> {
  const placed: string[] = [];
  for (let index = 0; index < count; index += 1) {
    placed.unshift((await reserveMore(customer)).orderId);
    await stack.clock.advance(1000);
  }
  return placed;
}

function reserveMore(customer: Customer): Promise<OrderDocument> {
  return customer.reserved(productId, 1, { headers: { 'x-allow-duplicate': 'true' } });
}

describe('GET /order', () => {
  test('needs a token', async () => {
    expect((await call(stack, 'GET', '/order')).summary).toBe('401 UNAUTHENTICATED');
  });

  test('is empty for somebody who ordered nothing', async () => {
    expect(await list(await Customer.of(stack))).toEqual({ orders: [], next: null });
  });

  test('shows the orders as GET /order/{id} does, the newest first', async () => {
    const customer = await Customer.of(stack);
    const invalid = await customer.place([{ productId, quantity: 0 }]);
    await aMoment();
    const [first, second] = await placeApart(customer, 2);
    await customer.call('POST', `/order/cancelorder/${String(second)}`);

    // The cancelled order's saga may still have work to do.
    const page = await eventually(async () => {
      const orders = await list(customer);
      const one = await Promise.all(ids(orders).map((orderId) => customer.order(orderId)));
      expect(orders.orders).toEqual(one);
      return orders;
    });

    expect(ids(page)).toEqual([first, second, invalid.problem.orderId]);
    expect(page.orders.map(({ status }) => status)).toEqual([
      'PENDING_PAYMENT',
      'ORDER_CANCELLED',
      'INVALID',
    ]);
    expect(page.next).toBeNull();
  });

  test('shows nobody else’s orders, whatever the cursor', async () => {
    const [alice, bob] = [await Customer.of(stack), await Customer.of(stack)];
    const [bobsOld] = await placeApart(bob, 1);
    await placeApart(alice, 3);
    const [bobsNew] = await placeApart(bob, 1);

    expect(ids(await list(bob))).toEqual([bobsNew, bobsOld]);
    const { next } = await list(alice, '?limit=1');
    expect(ids(await list(bob, `?limit=1&cursor=${String(next)}`))).toEqual([bobsOld]);
  });

  test('neither repeats nor skips an order when others are placed between two pages', async () => {
    const customer = await Customer.of(stack);
    const placed = await placeApart(customer, 5);
    const seen: string[] = [];
    const later: string[] = [];

    let page = await list(customer, '?limit=2');
    for (;;) {
      expect(page.orders.length).toBeLessThanOrEqual(2);
      seen.push(...ids(page));
      if (page.next === null) break;
      later.unshift((await reserveMore(customer)).orderId);
      await stack.clock.advance(1000);
      page = await list(customer, `?limit=2&cursor=${page.next}`);
    }

    expect(seen).toEqual(placed);
    expect(later).toHaveLength(2);
    expect(ids(await list(customer))).toEqual([...later, ...placed]);
  });

  test('lists orders of one moment once each', async () => {
    const customer = await Customer.of(stack);
    const placed = await Promise.all(Array.from({ length: 6 }, () => reserveMore(customer)));
    const seen: string[] = [];
    let query = '?limit=1';
    for (let pages = 0; pages < placed.length; pages += 1) {
      const page = await list(customer, query);
      seen.push(...ids(page));
      query = `?limit=1&cursor=${String(page.next)}`;
      expect(page.next === null).toBe(pages === placed.length - 1);
    }
    expect(seen.sort()).toEqual(placed.map(({ orderId }) => orderId).sort());
  });

  test('gives twenty orders a page, unless told otherwise', async () => {
    const customer = await Customer.of(stack);
    await Promise.all(
      Array.from({ length: 21 }, () => customer.place([{ productId, quantity: 0 }])),
    );
    const { orders, next } = await list(customer);
    expect([orders.length, next === null]).toEqual([20, false]);
    const all = await list(customer, '?limit=50');
    expect([all.orders.length, all.next]).toEqual([21, null]);
  });

  const encoded = (position: string) => Buffer.from(position).toString('base64url');
  test.each([
    ['no limit at all', '?limit=0', 'limit'],
    ['too high a limit', '?limit=51', 'limit'],
    ['a limit in words', '?limit=all', 'limit'],
    ['an empty cursor', '?cursor=', 'cursor'],
    ['a made-up cursor', '?cursor=garbage!', 'cursor'],
    ['a cursor of products', `?cursor=${encoded('prod-mug')}`, 'cursor'],
    ['a cursor that is too long', `?cursor=${encoded('000000000000000#ord_1#')}`, 'cursor'],
    ['an unknown parameter', '?status=CREATED', 'status'],
  ])('refuses %s', async (_what, query, named) => {
    const answer = await (await Customer.of(stack)).call('GET', `/order${query}`);
    expect(answer.summary).toBe('400 BAD_REQUEST');
    expect(answer.problem.detail).toContain(named);
  });
});
