import { describe, expect, test } from 'vitest';
import { httpCall, inject, refuseConnection } from '../support/faults.ts';
import { expectPromisesAtRest, storedOrder } from '../support/invariants.ts';
import { of } from '../support/modify.ts';
import { Scene } from '../support/scene.ts';
import {
  type Answer,
  Customer,
  changeProduct,
  newProduct,
  type OrderDocument,
} from '../support/shop.ts';
import { eventually } from '../support/stack.ts';

// The schedule never runs by itself.
const scene = new Scene({ DEFAULT_MAX_PER_ORDER: '50', SCHEDULE_SECONDS: '3600' });

interface Named {
  readonly productId?: string;
  readonly available?: number;
  readonly maxPerOrder?: number;
  readonly orders?: readonly { readonly orderId: string; readonly quantity: number }[];
}

const named = (answer: Answer) => answer.json as Named;

async function refusedOf(answer: Answer): Promise<unknown> {
  const order = await scene.user.order(answer.problem.orderId ?? '');
  return (order as OrderDocument & { readonly refused: unknown }).refused;
}

async function declined(quantity: number): Promise<OrderDocument> {
  const { orderId } = await scene.user.reserved(scene.productId, quantity);
  const answer = await scene.user.pay(orderId, 'tok_declined', { wait: 10 });
  expect(answer.summary).toBe('402 PAYMENT_DECLINED');
  await eventually(async () => {
    expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
  });
  return scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
}

describe('a refusal because of a product names it, on the problem and on the order', () => {
  test.each([
    ['OUT_OF_STOCK', 11, { available: 10 }],
    ['TOO_MANY_PIECES', 51, { maxPerOrder: 50 }],
  ])('%s', async (code, quantity, facts) => {
    const { productId } = scene;
    const answer = await scene.user.place(of(productId, quantity), { wait: 10 });
    expect(answer.summary).toBe(`422 ${code}`);
    expect(answer.json).toMatchObject({ productId, ...facts });
    expect(answer.problem.detail).toContain(productId);
    expect(answer.problem.detail).toContain(String(Object.values(facts)[0]));
    expect(answer.problem.detail).not.toContain('Your own');
    const { available = null, maxPerOrder = null } = facts as Named;
    expect(await refusedOf(answer)).toEqual({ productId, available, maxPerOrder });
  });

  test('UNKNOWN_PRODUCT', async () => {
    const items = [...of(scene.productId, 1), ...of('prod-nowhere', 1)];
    const answer = await scene.user.place(items, { wait: 10 });
    expect(answer.summary).toBe('422 UNKNOWN_PRODUCT');
    expect(named(answer).productId).toBe('prod-nowhere');
    expect(await refusedOf(answer)).toMatchObject({ productId: 'prod-nowhere' });
  });

  test('a product that is withdrawn for now, until the order goes on', async () => {
    const productId = await newProduct(10, { active: false });
    const answer = await scene.user.place(of(productId, 1), { wait: 10 });
    expect(named(answer).productId).toBe(productId);
    expect(answer.problem.detail).toContain(productId);
    expect(await refusedOf(answer)).toMatchObject({ productId });
    await changeProduct(scene.stack, productId, { active: true });
    const retried = await scene.user.retryOrder(answer.problem.orderId ?? '', { wait: 10 });
    expect(retried.summary).toBe('201 PENDING_PAYMENT');
    expect(retried.json).toMatchObject({ refused: null });
  });

  test('a change that was refused', async () => {
    const { productId } = scene;
    const { orderId } = await scene.user.reserved(productId, 2);
    const answer = await scene.user.modify(orderId, of(productId, 20), { wait: 10 });
    expect(answer.summary).toBe('409 MODIFICATION_REJECTED');
    expect(answer.json).toMatchObject({ reason: 'OUT_OF_STOCK', productId, available: 8 });
    // The order's own pieces are no reason to cancel it.
    expect(named(answer).orders).toBeUndefined();
    expect(await refusedOf(answer)).toMatchObject({ productId, available: 8 });
    const applied = await scene.user.modify(orderId, of(productId, 3), { wait: 10 });
    expect(applied.json).toMatchObject({ refused: null });
  });
});

describe("where the user's own open orders hold what is missing", () => {
  test('the refusal names and links them, and nobody else’s', async () => {
    const { productId } = scene;
    const mine = await scene.user.reserved(productId, 4);
    const other = await Customer.of(scene.stack);
    await other.reserved(productId, 3);
    const paid = await scene.user.reserved(productId, 1);
    await scene.user.pay(paid.orderId, 'tok_ok', { wait: 10 });

    const answer = await scene.user.place(of(productId, 6), { wait: 10 });

    expect(answer.summary).toBe('422 OUT_OF_STOCK');
    expect(answer.json).toMatchObject({
      productId,
      available: 2,
      orders: [
        {
          orderId: mine.orderId,
          status: 'PENDING_PAYMENT',
          quantity: 4,
          links: { self: { method: 'GET', href: `/order/${mine.orderId}` } },
        },
      ],
    });
    expect(answer.problem.detail).toMatch(/Your own unpaid orders .* cancel/);
  });

  test('a refused change does so too', async () => {
    const { productId } = scene;
    const first = await scene.user.reserved(productId, 4);
    const second = await scene.user.reserved(productId, 2);
    const answer = await scene.user.modify(second.orderId, of(productId, 9), { wait: 10 });
    expect(named(answer).orders).toMatchObject([{ orderId: first.orderId, quantity: 4 }]);
  });
});

describe('a change of an order whose payment failed', () => {
  test('is refused when it is made, if there is not so much: nothing is stored', async () => {
    const { productId } = scene;
    const order = await declined(2);
    const holding = await scene.user.reserved(productId, 4);
    const answer = await scene.user.modify(order.orderId, of(productId, 7));
    expect(answer.summary).toBe('422 OUT_OF_STOCK');
    const { orderId } = order;
    expect(answer.json).toMatchObject({ orderId, productId, available: 6 });
    expect(named(answer).orders).toMatchObject([{ orderId: holding.orderId }]);
    expect(await scene.user.order(orderId)).toEqual(order);
    expect((await scene.user.modify(orderId, of(productId, 6))).status).toBe(200);
    const paid = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect(paid.summary).toBe('200 CAPTURED');
  });

  test('is refused if one order may not have so many', async () => {
    const { orderId, version } = await declined(2);
    const answer = await scene.user.modify(orderId, of(scene.productId, 51));
    expect(answer.summary).toBe('422 TOO_MANY_PIECES');
    expect(answer.json).toMatchObject({ productId: scene.productId, maxPerOrder: 50 });
    expect((await scene.user.order(orderId)).version).toBe(version);
  });

  test('is not refused for pieces of its own that are still to be given back', async () => {
    inject(scene.stack, {
      on: httpCall('DELETE', '/inventory/reservation/'),
      act: refuseConnection,
    });
    const { orderId } = await scene.user.reserved(scene.productId, 10);
    await scene.user.pay(orderId, 'tok_declined', { wait: 10 });
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
    expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeDefined();
    expect((await scene.user.modify(orderId, of(scene.productId, 9))).status).toBe(200);
  });
});

test('at the end every promise holds', async () => {
  await scene.inTime(() => expectPromisesAtRest(scene.stack));
});
