import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { databaseCall, dieBefore, heal, inject } from '../support/faults.ts';
import { expectPromisesAtRest, ordersOf, scan } from '../support/invariants.ts';
import {
  type Answer,
  Customer,
  changeProduct,
  type Items,
  newProduct,
  stockLine,
} from '../support/shop.ts';
import { eventually, executions, startTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

/** An interrupted request frees its idempotency key after its function's time-out. */
const LAMBDA_TIMEOUT_MS = 20_000;
const DUPLICATE_WINDOW_MS = 600_000;

let stack: TestStack;
let user: Customer;
let productId: string;

beforeAll(async () => {
  stack = await startTestStack({ RESERVATION_TTL_SECONDS: '3600', SCHEDULE_SECONDS: '3600' });
});

afterAll(async () => {
  await stack.stop();
});

afterEach(() => {
  heal(stack);
});

async function newcomer(stock = 100): Promise<void> {
  user = await Customer.of(stack);
  productId = await newProduct(stock);
}

const one = () => [{ productId, quantity: 1 }];

function replayed(answer: Answer): boolean {
  return answer.headers.get('idempotent-replayed') === 'true';
}

function count(answers: readonly Answer[], matches: (answer: Answer) => boolean): number {
  return answers.filter(matches).length;
}

/** The first order of these items is stored, or it is entered and about to be. */
function isRefusedDuplicate({ summary }: Answer): boolean {
  return summary === '409 DUPLICATE_ORDER' || summary === '409 ORDER_IN_FLIGHT';
}

/** Asks for other items of the user's one order, which is reserved by then. */
async function changed(
  key: string,
  items: Items,
  headers: Record<string, string>,
): Promise<Answer> {
  const { orderId } = (await user.place(one(), { key: 'placed', wait: 10 })).order;
  return user.modify(orderId, items, { key, headers });
}

describe('the same Idempotency-Key', () => {
  test('with the same body replays the first answer', async () => {
    await newcomer();
    const first = await user.place(one(), { key: 'k1', wait: 10 });
    expect([first.status, replayed(first)]).toEqual([201, false]);
    await user.pay(first.order.orderId, 'tok_ok', { wait: 10 });

    const again = await user.place(one(), { key: 'k1', wait: 10 });

    expect([again.status, replayed(again)]).toEqual([201, true]);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(await ordersOf(stack, user.userId)).toHaveLength(1);
  });

  test('keeps the answer in an item of one write unit', async () => {
    await newcomer();
    const idsBefore = (await scan(stack, 'IdempotencyTable')).map(({ id }) => id);
    const { text } = await user.place(one(), { key: 'k1', wait: 10 });
    expect(text.length).toBeGreaterThan(1024);
    const items = await scan(stack, 'IdempotencyTable');
    const [kept, ...others] = items.filter(({ id }) => !idsBefore.includes(id));
    expect(JSON.stringify(kept).length).toBeLessThan(1024);
    expect(others).toEqual([]);
  });

  test('with another body is refused', async () => {
    await newcomer();
    const { orderId } = (await user.place(one(), { key: 'k1', wait: 10 })).order;

    const other = await user.place([{ productId, quantity: 2 }], { key: 'k1' });

    expect(other.summary).toBe('422 IDEMPOTENCY_CONFLICT');
    expect((await ordersOf(stack, user.userId)).map((order) => order.orderId)).toEqual([orderId]);
  });

  test('replays a refusal too', async () => {
    await newcomer();
    const items = [{ productId, quantity: 0 }];
    const first = await user.place(items, { key: 'k1' });
    const again = await user.place(items, { key: 'k1' });
    expect([first.summary, replayed(first)]).toEqual(['422 BAD_QUANTITY', false]);
    expect([again.summary, replayed(again)]).toEqual(['422 BAD_QUANTITY', true]);
    expect(again.problem).toEqual(first.problem);
    expect(await ordersOf(stack, user.userId)).toHaveLength(1);
  });

  test.each([
    [404, (key: string) => user.modify('ord_that_is_not_there', one(), { key })],
    [412, (key: string) => changed(key, [{ productId, quantity: 2 }], { 'If-Match': '"1"' })],
    [422, (key: string) => changed(key, [{ productId, quantity: 0 }], {})],
  ])('decides a %i anew: nothing was stored', async (status, send) => {
    await newcomer();
    for (const answer of [await send('k1'), await send('k1')]) {
      expect([answer.status, replayed(answer)], answer.text).toEqual([status, false]);
    }
  });

  test('is another key for another user', async () => {
    await newcomer();
    const mine = await user.place(one(), { key: 'shared', wait: 10 });
    const other = await Customer.of(stack);

    const theirs = await other.place(one(), { key: 'shared', wait: 10 });

    expect([theirs.status, replayed(theirs)]).toEqual([201, false]);
    expect(theirs.order.orderId).not.toBe(mine.order.orderId);
  });

  test('is another key for another route', async () => {
    await newcomer();
    const { orderId } = (await user.place(one(), { key: 'k1', wait: 10 })).order;
    const paid = await user.pay(orderId, 'tok_ok', { key: 'k1', wait: 10 });
    expect([paid.summary, replayed(paid)]).toEqual(['200 CAPTURED', false]);
  });

  test('sent 20 times at once makes one order', async () => {
    await newcomer();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => user.place(one(), { key: 'k1', wait: 10 })),
    );

    const placed = answers.filter(({ status }) => status === 201);
    const waiting = answers.filter(({ summary }) => summary === '409 REQUEST_IN_PROGRESS');
    expect(placed.length).toBeGreaterThan(0);
    expect(placed.length + waiting.length, answers.map((a) => a.summary).join()).toBe(20);
    expect(new Set(placed.map(({ order }) => order.orderId)).size).toBe(1);
    expect(count(waiting, ({ headers }) => headers.get('retry-after') !== null)).toBe(
      waiting.length,
    );
    expect(await ordersOf(stack, user.userId)).toHaveLength(1);
    expect(await stockLine(stack, productId)).toBe('99/1/0');

    const later = await user.place(one(), { key: 'k1' });
    expect([later.status, replayed(later)]).toEqual([201, true]);
  });

  test('tries an order that failed again instead of replaying its failure', async () => {
    user = await Customer.of(stack);
    productId = await newProduct(10, { active: false });
    const failed = await user.place(one(), { key: 'k1', wait: 10 });
    expect([failed.summary, replayed(failed)]).toEqual(['409 PRODUCT_UNAVAILABLE', false]);
    const again = await user.place(one(), { key: 'k1', wait: 10 });
    expect([again.summary, replayed(again)]).toEqual(['409 PRODUCT_UNAVAILABLE', false]);

    await changeProduct(stack, productId, { active: true });
    const placed = await user.place(one(), { key: 'k1', wait: 10 });

    expect([placed.summary, replayed(placed)]).toEqual(['201 PENDING_PAYMENT', false]);
    expect(placed.order.orderId).toBe(failed.problem.orderId);
    expect(placed.order.history.map(({ to }) => to)).toEqual([
      'CREATED',
      'PENDING_RESERVING_STOCK',
      'ORDER_FAILED',
      'CREATED',
      'PENDING_RESERVING_STOCK',
      'ORDER_FAILED',
      'CREATED',
      'PENDING_RESERVING_STOCK',
      'PENDING_PAYMENT',
    ]);
    expect(await ordersOf(stack, user.userId)).toHaveLength(1);
    expect(await executions(stack, placed.order.orderId)).toHaveLength(3);
    expect(replayed(await user.place(one(), { key: 'k1' }))).toBe(true);
  });

  test('of an order whose handler died before it could answer makes no second one', async () => {
    await newcomer();
    inject(stack, { on: databaseCall('UpdateItem', 'idempotency'), times: 1, act: dieBefore });
    const lost = await user.place(one(), { key: 'k1', wait: 10 });
    expect(lost.status).toBe(502);
    const tooSoon = await user.place(one(), { key: 'k1', wait: 10 });
    expect(tooSoon.summary).toBe('409 REQUEST_IN_PROGRESS');
    expect(Number(tooSoon.headers.get('retry-after'))).toBeGreaterThan(0);

    await stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);
    const again = await user.place(one(), { key: 'k1', wait: 10 });

    expect(again.summary).toBe('201 PENDING_PAYMENT');
    const orders = await ordersOf(stack, user.userId);
    expect(orders.map(({ orderId }) => orderId)).toEqual([again.order.orderId]);
    expect(await executions(stack, again.order.orderId)).toHaveLength(1);
    expect(await stockLine(stack, productId)).toBe('99/1/0');
  });

  test('of an order whose handler died is still refused for other items', async () => {
    await newcomer();
    inject(stack, { on: databaseCall('UpdateItem', 'idempotency'), times: 1, act: dieBefore });
    expect((await user.place(one(), { key: 'k1', wait: 10 })).status).toBe(502);
    await stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);

    const other = await user.place([{ productId, quantity: 2 }], { key: 'k1', wait: 10 });

    expect(other.summary).toBe('422 IDEMPOTENCY_CONFLICT');
    expect(await ordersOf(stack, user.userId)).toHaveLength(1);
  });

  test('of a payment whose handler died before it could answer charges once', async () => {
    await newcomer();
    const { orderId } = await user.reserved(productId);
    inject(stack, { on: databaseCall('UpdateItem', 'idempotency'), times: 1, act: dieBefore });
    expect((await user.pay(orderId, 'tok_ok', { key: 'p1', wait: 10 })).status).toBe(502);
    await stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);

    const again = await user.pay(orderId, 'tok_ok', { key: 'p1', wait: 10 });

    expect(again.summary).toBe('200 CAPTURED');
    expect(again.payment.attempt).toBe(1);
    await user.expectStatus(orderId, 'PAYMENT_DONE');
  });
});

describe('an identical order', () => {
  test('without a key is refused while the first is open, and names it', async () => {
    await newcomer();
    const { orderId } = await user.reserved(productId, 2);
    const sameMerged = [...one(), ...one()];

    for (const items of [[{ productId, quantity: 2 }], sameMerged]) {
      const refused = await user.place(items, { wait: 10 });
      expect(refused.summary).toBe('409 DUPLICATE_ORDER');
      expect(refused.problem.orderId).toBe(orderId);
      expect(refused.text).toContain(`/order/${orderId}`);
    }
    const withAnotherKey = await user.place([{ productId, quantity: 2 }], { key: 'k2' });
    expect(withAnotherKey.summary).toBe('409 DUPLICATE_ORDER');
    expect(await ordersOf(stack, user.userId)).toHaveLength(1);
  });

  test('is only one of the same user, products and quantities', async () => {
    await newcomer();
    const { orderId } = await user.reserved(productId, 2);
    const other = await Customer.of(stack);
    const others = [
      (await other.reserved(productId, 2)).orderId,
      (await user.reserved(productId, 3)).orderId,
      (await user.reserved(await newProduct(5), 2)).orderId,
    ];
    expect(new Set([orderId, ...others]).size).toBe(4);
  });

  test('is allowed to who says so', async () => {
    await newcomer();
    const first = await user.reserved(productId);
    const second = await user.reserved(productId, 1, { headers: { 'x-allow-duplicate': 'true' } });
    expect(second.orderId).not.toBe(first.orderId);
    expect((await user.place(one())).problem.orderId).toBe(first.orderId);
    await user.pay(first.orderId, 'tok_ok', { wait: 10 });
    expect((await user.place(one())).problem.orderId).toBe(second.orderId);
  });

  test('is allowed when the window is over', async () => {
    await newcomer();
    const first = await user.reserved(productId);
    await stack.clock.advance(DUPLICATE_WINDOW_MS - 10_000);
    expect((await user.place(one())).summary).toBe('409 DUPLICATE_ORDER');
    await stack.clock.advance(10_000);
    expect((await user.reserved(productId)).orderId).not.toBe(first.orderId);
  });

  test('is allowed when the first is final', async () => {
    await newcomer(1);
    const first = await user.reserved(productId);
    await user.pay(first.orderId, 'tok_ok', { wait: 10 });
    const afterPaid = await user.place(one(), { wait: 10 });
    expect(afterPaid.summary).toBe('422 OUT_OF_STOCK');
    const afterInvalid = await user.place(one(), { wait: 10 });
    expect(afterInvalid.summary).toBe('422 OUT_OF_STOCK');
    expect(await ordersOf(stack, user.userId)).toHaveLength(3);
  });

  test('is refused while the first failed but may be retried', async () => {
    await newcomer();
    const { orderId } = await user.reserved(productId);
    await user.pay(orderId, 'tok_declined', { wait: 10 });
    expect((await user.place(one())).summary).toBe('409 DUPLICATE_ORDER');
  });

  test('sent 20 times at once without a key makes one order', async () => {
    await newcomer();
    const answers = await Promise.all(Array.from({ length: 20 }, () => user.place(one())));

    const placed = answers.filter(({ status }) => status === 202);
    expect(placed).toHaveLength(1);
    expect(count(answers, isRefusedDuplicate)).toBe(19);
    const orderId = placed[0]?.order.orderId ?? '';
    expect(count(answers, ({ text }) => text.includes(orderId))).toBe(20);
    await eventually(() => user.expectStatus(orderId, 'PENDING_PAYMENT'));
    expect(await ordersOf(stack, user.userId)).toHaveLength(1);
    expect(await stockLine(stack, productId)).toBe('99/1/0');
  });

  test('sent 20 times at once, each with its own key, makes one order', async () => {
    await newcomer();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => user.place(one(), { key: `k${String(index)}` })),
    );
    expect(count(answers, ({ status }) => status === 202)).toBe(1);
    expect(count(answers, isRefusedDuplicate)).toBe(19);
    expect(await ordersOf(stack, user.userId)).toHaveLength(1);
  });
});

test('a key is kept for 24 hours, and even then makes no second order', async () => {
  await newcomer();
  const first = await user.place(one(), { key: 'k1', wait: 10 });
  await user.pay(first.order.orderId, 'tok_ok', { wait: 10 });
  await stack.clock.advance(24 * 3600 * 1000 - 60_000);
  user = await user.withFreshToken();
  expect(replayed(await user.place(one(), { key: 'k1' }))).toBe(true);
  await stack.clock.advance(120_000);

  const again = await user.place(one(), { key: 'k1' });

  expect([again.status, replayed(again)]).toEqual([202, false]);
  expect(again.order).toMatchObject({ orderId: first.order.orderId, status: 'PAYMENT_DONE' });
  expect(await ordersOf(stack, user.userId)).toHaveLength(1);
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(stack);
});
