import { describe, expect, test } from 'vitest';
import { tamper } from '../support/doctor.ts';
import {
  butFirst,
  databaseCall,
  dieAfter,
  dieBefore,
  heal,
  held,
  httpCall,
  inject,
} from '../support/faults.ts';
import { expectPromisesAtRest, ordersOf, storedOrder } from '../support/invariants.ts';
import { of } from '../support/modify.ts';
import { Scene } from '../support/scene.ts';
import { type Answer, changeProduct, newProduct, stockLine } from '../support/shop.ts';
import { asTimeGoesOn, eventually } from '../support/stack.ts';

const MAX = 3;
const LAMBDA_TIMEOUT_MS = 20_000;
/** Time for which an entry stands without its order. */
const IN_FLIGHT_MS = 60_000;

// The schedule never runs by itself; the tests run its functions.
const scene = new Scene({
  MAX_OPEN_ORDERS_PER_USER: String(MAX),
  RESERVATION_TTL_SECONDS: '3600',
  SCHEDULE_SECONDS: '3600',
});

const entering = databaseCall('UpdateItem', 'orders');
const writing = databaseCall('PutItem', 'orders');

interface TooManyOrders {
  readonly orders: readonly { readonly orderId: string; readonly status: string | null }[];
}

function namedBy(answer: Answer): string[] {
  expect(answer.summary).toBe('429 TOO_MANY_OPEN_ORDERS');
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  return (answer.json as TooManyOrders).orders.map(({ orderId }) => orderId).sort();
}

/** Reserved orders of 1, 2, … pieces, as many as the user may have. */
async function fill(count = MAX): Promise<string[]> {
  const ids: string[] = [];
  for (let quantity = 1; quantity <= count; quantity += 1) {
    ids.push((await scene.user.reserved(scene.productId, quantity)).orderId);
  }
  return ids;
}

async function placed(productId = scene.productId, quantity = 1): Promise<string> {
  const answer = await scene.user.place(of(productId, quantity), { wait: 10 });
  expect(answer.status, answer.text).toBe(201);
  return answer.order.orderId;
}

/** An order that failed because its product was withdrawn; the product is back on sale. */
async function failed(): Promise<string> {
  const productId = await newProduct(10, { active: false });
  const answer = await scene.user.place(of(productId, 1), { wait: 10 });
  expect(answer.summary).toBe('409 PRODUCT_UNAVAILABLE');
  const orderId = answer.problem.orderId ?? '';
  await asTimeGoesOn(
    scene.stack,
    async () => {
      expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
    },
    { stepSeconds: 1 },
  );
  await changeProduct(scene.stack, productId, { active: true });
  return orderId;
}

describe('a user with as many open orders as one may have', () => {
  test('is refused one more, and told which they are', async () => {
    const open = await fill();
    const refused = await scene.user.place(of(scene.productId, 4), { key: 'k1' });
    expect(namedBy(refused)).toEqual([...open].sort());
    expect(refused.text).toContain(`"href":"/order/${open[0] ?? ''}"`);
    expect(await ordersOf(scene.stack, scene.user.userId)).toHaveLength(MAX);

    await scene.user.cancel(open[0] ?? '');
    await eventually(async () => {
      expect((await storedOrder(scene.stack, open[0] ?? '')).releaseOwed).toBeUndefined();
    });
    const again = await scene.user.place(of(scene.productId, 4), { key: 'k1', wait: 10 });
    expect(again.summary).toBe('201 PENDING_PAYMENT');
  });

  test('has exactly that many, however many are placed at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: MAX + 5 }, (_none, index) =>
        scene.user.place(of(scene.productId, index + 1)),
      ),
    );
    const orders = answers.filter(({ status }) => status === 202);
    expect(orders).toHaveLength(MAX);
    const ids = orders.map(({ order }) => order.orderId).sort();
    for (const answer of answers) if (answer.status !== 202) expect(namedBy(answer)).toEqual(ids);
    expect(await ordersOf(scene.stack, scene.user.userId)).toHaveLength(MAX);
  });

  test('has exactly that many where each comes with its own key and "I mean it"', async () => {
    const answers = await Promise.all(
      Array.from({ length: MAX + 5 }, (_none, index) =>
        scene.user.place(of(scene.productId, 1), {
          key: `k${String(index)}`,
          headers: { 'x-allow-duplicate': 'true' },
        }),
      ),
    );
    const orders = answers.filter(({ status }) => status === 202).length;
    expect(orders).toBeGreaterThan(0);
    expect(orders).toBeLessThanOrEqual(MAX);
    expect(await ordersOf(scene.stack, scene.user.userId)).toHaveLength(orders);
    for (const { status, headers } of answers) {
      if (status !== 202) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  test('may place the next one when one is paid or failed, with nothing given back by hand', async () => {
    const [paid = '', declined = ''] = await fill();
    await scene.user.pay(paid, 'tok_ok', { wait: 10 });
    await placed(await newProduct(10));
    await scene.user.pay(declined, 'tok_declined', { wait: 10 });
    await placed(await newProduct(10));
    namedBy(await scene.user.place(of(await newProduct(10), 1)));
  });

  test('is not held up by orders that came to nothing a moment ago', async () => {
    const ended: string[] = [];
    for (let orders = 0; orders < 3 * MAX; orders += 1) {
      const orderId = await placed(await newProduct(10));
      await scene.user.cancel(orderId);
      await eventually(async () => {
        expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
      });
      ended.push(orderId);
    }
    expect(new Set(ended).size).toBe(3 * MAX);
    await fill();
  });

  test('is refused the retry of an order, until there is a place for it', async () => {
    const orderId = await failed();
    const open = await fill();
    expect(namedBy(await scene.user.retryOrder(orderId))).toEqual([...open].sort());
    await scene.user.expectStatus(orderId, 'ORDER_FAILED');
    await scene.user.pay(open[0] ?? '', 'tok_ok', { wait: 10 });
    const retried = await scene.user.retryOrder(orderId, { wait: 10 });
    expect(retried.summary).toBe('201 PENDING_PAYMENT');
    namedBy(await scene.user.place(of(await newProduct(10), 1)));
  });

  test('is refused the retry of a payment, until there is a place for it', async () => {
    const orderId = await placed(await newProduct(10));
    await scene.user.pay(orderId, 'tok_declined', { wait: 10 });
    const open = await fill();
    expect(namedBy(await scene.user.retryPayment(orderId, 'tok_ok'))).toEqual([...open].sort());
    await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    await scene.user.pay(open[0] ?? '', 'tok_ok', { wait: 10 });
    const retried = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect(retried.summary).toBe('200 CAPTURED');
  });

  test('may modify what they have', async () => {
    const [orderId = ''] = await fill();
    const modified = await scene.user.modify(orderId, of(await newProduct(10), 1), { wait: 10 });
    expect(modified.summary).toBe('200 PENDING_PAYMENT');
    expect(namedBy(await scene.user.place(of(scene.productId, 9)))).toContain(orderId);
  });
});

describe('a double click', () => {
  test('between the entry and the order places one order', async () => {
    const orders = held();
    const writes = inject(scene.stack, { on: writing, times: 1, act: orders.act });
    const first = scene.user.place(of(scene.productId, 1));
    await eventually(() => {
      expect(writes.strikes).toBe(1);
    });
    const refused = await scene.user.place(of(scene.productId, 1), { key: 'second' });
    expect(refused.summary).toBe('409 ORDER_IN_FLIGHT');
    expect(refused.headers.get('retry-after')).toBe('1');
    orders.letGo();
    const { orderId } = (await first).order;
    const told = await scene.user.place(of(scene.productId, 1), { key: 'second' });
    expect([told.summary, told.problem.orderId]).toEqual(['409 DUPLICATE_ORDER', orderId]);
    expect(await ordersOf(scene.stack, scene.user.userId)).toHaveLength(1);
  });

  test('of an order that failed is told to retry it', async () => {
    await changeProduct(scene.stack, scene.productId, { active: false });
    const answer = await scene.user.place(of(scene.productId, 1), { wait: 10 });
    const { orderId = '' } = answer.problem;
    const refused = await scene.user.place(of(scene.productId, 1));
    expect(refused.summary).toBe('409 DUPLICATE_ORDER');
    expect(refused.problem.detail).toContain('retryOrder');
    expect(refused.json).toMatchObject({ orderId, retryOrder: `/order/retryorder/${orderId}` });
  });
});

describe('a handler that dies between the entry and the order', () => {
  test.each([
    ['after the entry', entering, dieAfter],
    ['before the order', writing, dieBefore],
  ] as const)('%s leaves the place to the same key at once', async (_when, on, act) => {
    inject(scene.stack, { on, times: 1, act });
    const lost = await scene.user.place(of(scene.productId, 1), { key: 'k1', wait: 10 });
    expect(lost.status).toBe(502);
    heal(scene.stack);
    expect((await scene.user.place(of(scene.productId, 1))).summary).toBe('409 ORDER_IN_FLIGHT');

    // The idempotency record of the dead request is free after its function's time-out.
    await scene.stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);
    const again = await scene.user.place(of(scene.productId, 1), { key: 'k1', wait: 10 });
    expect(again.summary).toBe('201 PENDING_PAYMENT');
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');
  });

  test('locks nobody out for longer than a minute', async () => {
    inject(scene.stack, { on: entering, times: MAX, act: dieAfter });
    for (let quantity = 1; quantity <= MAX; quantity += 1) {
      expect((await scene.user.place(of(scene.productId, quantity))).status).toBe(502);
    }
    expect((await scene.user.place(of(scene.productId, 1))).summary).toBe('409 ORDER_IN_FLIGHT');
    expect(namedBy(await scene.user.place(of(scene.productId, 9)))).toHaveLength(MAX);
    await scene.stack.clock.advance(IN_FLIGHT_MS - 5000);
    expect((await scene.user.place(of(scene.productId, 1))).summary).toBe('409 ORDER_IN_FLIGHT');
    await scene.stack.clock.advance(5000);
    await placed();
  });

  test('while it retries an order keeps the place of the retry for a minute', async () => {
    const orderId = await failed();
    await fill(MAX - 1);
    inject(scene.stack, { on: butFirst(writing), times: 1, act: dieBefore });
    expect((await scene.user.retryOrder(orderId)).status).toBe(502);
    heal(scene.stack);
    expect(namedBy(await scene.user.place(of(scene.productId, 4)))).toContain(orderId);
    await scene.stack.clock.advance(IN_FLIGHT_MS);
    await placed(scene.productId, 4);
    expect(namedBy(await scene.user.retryOrder(orderId))).not.toContain(orderId);
  });

  test('while it modifies an order lets no duplicate through, and refuses for a minute only', async () => {
    const orderId = await placed();
    const otherId = await newProduct(10);
    inject(scene.stack, { on: writing, times: 1, act: dieAfter });
    expect((await scene.user.modify(orderId, of(otherId, 1))).status).toBe(502);
    heal(scene.stack);
    const refused = await scene.user.place(of(otherId, 1));
    expect([refused.summary, refused.problem.orderId]).toEqual(['409 ORDER_IN_FLIGHT', orderId]);
    expect((await scene.user.place(of(scene.productId, 1))).summary).toBe('409 DUPLICATE_ORDER');

    await scene.stack.clock.advance(IN_FLIGHT_MS);
    await placed(otherId);
    expect((await scene.user.place(of(scene.productId, 1))).summary).toBe('409 DUPLICATE_ORDER');
  });
});

test('a retry that is under way has its place', async () => {
  const orderId = await failed();
  await fill(MAX - 1);
  const retries = held();
  const writes = inject(scene.stack, { on: butFirst(writing), times: 1, act: retries.act });
  const retry = scene.user.retryOrder(orderId, { wait: 10 });
  await eventually(() => {
    expect(writes.strikes).toBe(1);
  });
  expect(namedBy(await scene.user.place(of(scene.productId, 9)))).toContain(orderId);
  retries.letGo();
  expect((await retry).summary).toBe('201 PENDING_PAYMENT');
  namedBy(await scene.user.place(of(scene.productId, 9)));
});

test('orders whose stock is not given back yet count', async () => {
  inject(scene.stack, {
    on: httpCall('DELETE', '/inventory/'),
    act: () => Promise.reject(new TypeError('fetch failed')),
  });
  const [cancelled = ''] = await fill();
  await scene.user.cancel(cancelled);
  expect(namedBy(await scene.user.place(of(scene.productId, 4)))).toContain(cancelled);
  heal(scene.stack);
  await scene.inTime(async () => {
    expect((await storedOrder(scene.stack, cancelled)).releaseOwed).toBeUndefined();
  });
  await placed(scene.productId, 4);
});

test('an order of a bad quantity takes no place', async () => {
  for (let orders = 0; orders < 2 * MAX; orders += 1) {
    const answer = await scene.user.place(of(scene.productId, -orders));
    expect(answer.summary).toBe('422 BAD_QUANTITY');
  }
  await fill();
});

describe('an order that cannot be read', () => {
  test('does not lock its user out: it takes its place, and blocks no other', async () => {
    const orderId = await placed(scene.productId, 1);
    const putBack = await tamper('ORDER', orderId, (item) => ({ ...item, writes: 'many' }));
    try {
      // The same items once more, others, and as many as there is room for.
      const second = await placed(scene.productId, 1);
      const third = await placed(scene.productId, 3);
      const refused = await scene.user.place(of(scene.productId, 4));
      expect(namedBy(refused)).toEqual([orderId, second, third].sort());
      expect((await scene.user.modify(second, of(scene.productId, 2), { wait: 10 })).status).toBe(
        200,
      );
    } finally {
      await putBack();
    }
  });
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
