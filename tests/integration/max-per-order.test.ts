import { beforeEach, describe, expect, test } from 'vitest';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { of } from '../support/modify.ts';
import { Scene } from '../support/scene.ts';
import { Customer, newProduct, stockLine } from '../support/shop.ts';

const DEFAULT_LIMIT = 40;
const scene = new Scene({ DEFAULT_MAX_PER_ORDER: String(DEFAULT_LIMIT) });

let manager: Customer;
beforeEach(async () => {
  manager = await Customer.of(scene.stack, 'products:write');
});

async function limited(maxPerOrder: number, stock = 100): Promise<string> {
  const productId = await newProduct(stock);
  const answer = await manager.call('PUT', `/product/${productId}`, { maxPerOrder });
  expect(answer.json).toMatchObject({ maxPerOrder });
  return productId;
}

describe('the most pieces that one order may have of a product', () => {
  const TEAPOT = {
    name: 'Teapot',
    description: '',
    unitPrice: { amount: 100, currency: 'EUR' },
    stock: 9,
  };

  test('are given with it, shown to everyone, and changed', async () => {
    const made = await manager.call('POST', '/product', { ...TEAPOT, maxPerOrder: 3 });
    expect(made.json).toMatchObject({ maxPerOrder: 3 });
    const { productId } = made.json as { readonly productId: string };
    const path = `/product/${productId}`;
    expect((await scene.user.call('GET', path)).json).toMatchObject({ maxPerOrder: 3 });
    await manager.call('PUT', path, { maxPerOrder: 4 });
    await manager.call('PUT', path, { name: 'Pot' });
    expect((await scene.user.call('GET', path)).json).toMatchObject({ maxPerOrder: 4 });
  });

  test('are part of what an Idempotency-Key stands for', async () => {
    const first = await manager.call(
      'POST',
      '/product',
      { ...TEAPOT, maxPerOrder: 3 },
      { key: 'a' },
    );
    expect(first.status).toBe(201);
    const other = await manager.call(
      'POST',
      '/product',
      { ...TEAPOT, maxPerOrder: 4 },
      { key: 'a' },
    );
    expect(other.summary).toBe('422 IDEMPOTENCY_CONFLICT');
  });

  test.each([0, -1, 1.5, 10_001, '3', null])('are no %j', async (maxPerOrder) => {
    const made = await manager.call('POST', '/product', { ...TEAPOT, maxPerOrder });
    expect(made.summary).toBe('400 BAD_REQUEST');
    const path = `/product/${scene.productId}`;
    expect((await manager.call('PUT', path, { maxPerOrder })).summary).toBe('400 BAD_REQUEST');
  });

  test.each([
    ['its own', 3, () => limited(3)],
    ['the default', DEFAULT_LIMIT, () => newProduct(100)],
    ['its own, above the default', 50, () => limited(50)],
  ])('can be ordered, and one more cannot: %s', async (_what, limit, make) => {
    const productId = await make();
    await scene.user.reserved(productId, limit);
    const more = await scene.user.place(of(productId, limit + 1), { wait: 10 });
    expect(more.summary).toBe('422 TOO_MANY_PIECES');
    const order = await scene.user.expectStatus(more.problem.orderId ?? '', 'INVALID');
    expect(order.reason).toBe('TOO_MANY_PIECES');
    expect(await stockLine(scene.stack, productId)).toBe(
      `${String(100 - limit)}/${String(limit)}/0`,
    );
  });

  test('count after equal products are added up', async () => {
    const productId = await limited(3);
    const line = { productId, quantity: 2 };
    const answer = await scene.user.place([line, line], { wait: 10 });
    expect(answer.summary).toBe('422 TOO_MANY_PIECES');
  });

  test('are said before how many there are', async () => {
    const productId = await limited(3, 1);
    const answer = await scene.user.place(of(productId, 4), { wait: 10 });
    expect(answer.summary).toBe('422 TOO_MANY_PIECES');
  });

  test('refuse a change to more, and leave the order as it is', async () => {
    const productId = await limited(3);
    const { orderId } = await scene.user.reserved(productId, 2);
    const more = await scene.user.modify(orderId, of(productId, 4), { wait: 10 });
    expect(more.summary).toBe('409 MODIFICATION_REJECTED');
    expect(more.problem.reason).toBe('TOO_MANY_PIECES');
    expect((await scene.user.order(orderId)).items).toMatchObject([{ quantity: 2 }]);
    expect((await scene.user.modify(orderId, of(productId, 3), { wait: 10 })).status).toBe(200);
  });

  test('keep nobody who has more already from giving some back', async () => {
    const productId = await newProduct(20);
    const { orderId } = await scene.user.reserved(productId, 10);
    await manager.call('PUT', `/product/${productId}`, { maxPerOrder: 3 });
    const fewer = await scene.user.modify(orderId, of(productId, 8), { wait: 10 });
    expect(fewer.order).toMatchObject({ status: 'PENDING_PAYMENT', items: [{ quantity: 8 }] });
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });
});

test('more than 10,000 pieces of one product are a bad quantity, in one line or in two', async () => {
  const [half, whole] = [6000, 10_001].map((quantity) => ({
    productId: scene.productId,
    quantity,
  })) as [{ productId: string; quantity: number }, { productId: string; quantity: number }];
  for (const items of [[whole], [half, half]]) {
    expect((await scene.user.place(items)).summary).toBe('422 BAD_QUANTITY');
  }
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
