import { GetExecutionHistoryCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectPromisesAtRest, ordersOf, snapshotOf } from '../support/invariants.ts';
import {
  type Answer,
  Customer,
  call,
  chargesOf,
  newProduct,
  stockLine,
  stockOf,
} from '../support/shop.ts';
import { eventually, executions, messagesIn, startTestStack } from '../support/stack.ts';
import { embeddedOnly, isDeployed, isSimulated } from '../support/target.ts';
import type { TestStack } from '../support/test-stack.ts';

let stack: TestStack;
let alice: Customer;

beforeAll(async () => {
  stack = await startTestStack();
  alice = await Customer.of(stack);
});

afterAll(async () => {
  await stack.stop();
});

const COFFEE = [{ productId: 'prod-coffee', quantity: 2 }];

describe('the first order', () => {
  test('is reserved, paid, confirmed and sold once', async () => {
    const productId = await newProduct(100);

    const placed = await alice.place([{ productId, quantity: 2 }], { wait: 10 });
    expect(placed.status).toBe(201);
    const { orderId } = placed.order;
    expect(placed.headers.get('location')).toBe(`/order/${orderId}`);
    expect(placed.order).toMatchObject({
      status: 'PENDING_PAYMENT',
      reason: null,
      items: [{ productId, quantity: 2, unitPrice: { amount: 1000, currency: 'EUR' } }],
      total: { amount: 2000, currency: 'EUR' },
      paymentUrl: expect.stringMatching(new RegExp(`^http://localhost:\\d+/pay/${orderId}$`)),
      paymentId: null,
      refunds: [],
    });
    expect(await stockLine(stack, productId)).toBe('98/2/0');

    const paid = await alice.pay(orderId, 'tok_ok', { wait: 10 });
    expect(paid.summary).toBe('200 CAPTURED');
    const { paymentId } = paid.payment;
    expect(paid.headers.get('location')).toBe(`/payment/${paymentId}`);
    expect(paid.payment).toMatchObject({
      orderId,
      attempt: 1,
      amount: { amount: 2000, currency: 'EUR' },
      code: null,
    });
    expect(await alice.payment(paymentId)).toEqual(paid.payment);

    const done = await alice.order(orderId);
    expect(done).toMatchObject({ status: 'PAYMENT_DONE', paymentId, paymentUrl: null });
    expect(done.history.map(({ from, to, by }) => [from, to, by])).toEqual([
      [null, 'CREATED', 'user'],
      ['CREATED', 'PENDING_RESERVING_STOCK', 'ordersaga'],
      ['PENDING_RESERVING_STOCK', 'PENDING_PAYMENT', 'ordersaga'],
      ['PENDING_PAYMENT', 'PAYMENT_IN_PROGRESS', 'user'],
      ['PAYMENT_IN_PROGRESS', 'PAYMENT_DONE', 'ordersaga'],
    ]);
    expect(await stockOf(stack, productId)).toEqual({
      available: 98,
      reserved: 0,
      sold: 2,
      received: 100,
    });
    expect(await chargesOf(stack, orderId)).toEqual([
      expect.objectContaining({
        paymentId,
        status: 'CAPTURED',
        amount: { amount: 2000, currency: 'EUR' },
      }),
    ]);
  });

  test('whose payment is declined gives its stock back', async () => {
    const productId = await newProduct(10);
    const { orderId } = await alice.reserved(productId, 3);

    const declined = await alice.pay(orderId, 'tok_declined', { wait: 10 });

    expect(declined.summary).toBe('402 PAYMENT_DECLINED');
    expect(declined.problem.orderId).toBe(orderId);
    expect(await alice.order(orderId)).toMatchObject({
      status: 'PAYMENT_FAILED',
      reason: 'DECLINED',
      paymentUrl: null,
      paymentId: declined.problem.paymentId,
    });
    expect(await alice.payment(declined.problem.paymentId ?? '')).toMatchObject({
      status: 'DECLINED',
      code: 'DECLINED',
    });
    expect(await stockLine(stack, productId)).toBe('10/0/0');
    expect((await chargesOf(stack, orderId)).map(({ status }) => status)).toEqual(['DECLINED']);
  });

  test('of more than there is becomes INVALID and takes nothing', async () => {
    const refused = await alice.place([{ productId: 'prod-grinder', quantity: 2 }], { wait: 10 });

    expect(refused.summary).toBe('422 OUT_OF_STOCK');
    expect(await alice.order(refused.problem.orderId ?? '')).toMatchObject({
      status: 'INVALID',
      reason: 'OUT_OF_STOCK',
      total: null,
      paymentUrl: null,
    });
    expect(await stockLine(stack, 'prod-grinder')).toBe('1/0/0');
  });

  test('of an unknown product becomes INVALID, and what else it asked for stays', async () => {
    const productId = await newProduct(10);
    const items = [
      { productId, quantity: 2 },
      { productId: 'prod-nowhere', quantity: 1 },
    ];

    const refused = await alice.place(items, { wait: 10 });

    expect(refused.summary).toBe('422 UNKNOWN_PRODUCT');
    expect(await alice.order(refused.problem.orderId ?? '')).toMatchObject({
      status: 'INVALID',
      reason: 'UNKNOWN_PRODUCT',
    });
    expect(await stockLine(stack, productId)).toBe('10/0/0');
  });

  test('of products in two currencies becomes INVALID', async () => {
    const dollars = await newProduct(5, { currency: 'USD' });
    const items = [...COFFEE, { productId: dollars, quantity: 1 }];

    const refused = await alice.place(items, { wait: 10 });

    expect(refused.summary).toBe('422 MIXED_CURRENCIES');
    expect(await alice.order(refused.problem.orderId ?? '')).toMatchObject({
      status: 'INVALID',
      reason: 'MIXED_CURRENCIES',
    });
    expect(await stockLine(stack, dollars)).toBe('5/0/0');
  });

  test('of a product withdrawn for now fails and says when to come back', async () => {
    const failed = await alice.place([{ productId: 'prod-retired', quantity: 1 }], { wait: 10 });

    expect(failed.summary).toBe('409 PRODUCT_UNAVAILABLE');
    expect(Number(failed.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await alice.order(failed.problem.orderId ?? '')).toMatchObject({
      status: 'ORDER_FAILED',
      reason: 'PRODUCT_UNAVAILABLE',
    });
    expect(await stockLine(stack, 'prod-retired')).toBe('10/0/0');
  });

  test.each([0, -1, 10_001])('of %i pieces is stored as INVALID', async (quantity) => {
    const items = [
      { productId: 'prod-coffee', quantity: 1 },
      { productId: 'prod-mug', quantity },
    ];

    const refused = await alice.place(items);

    expect(refused.summary).toBe('422 BAD_QUANTITY');
    const order = await alice.order(refused.problem.orderId ?? '');
    expect(order).toMatchObject({ status: 'INVALID', reason: 'BAD_QUANTITY' });
    expect(order.history.map(({ from, to }) => [from, to])).toEqual([[null, 'INVALID']]);
    expect(await executions(stack, order.orderId)).toEqual([]);
  });

  test('checks quantities before it merges lines', async () => {
    const productId = await newProduct(5);
    const items = [
      { productId, quantity: 3 },
      { productId, quantity: -1 },
    ];
    expect((await alice.place(items, { wait: 10 })).summary).toBe('422 BAD_QUANTITY');
  });

  test('merges equal products', async () => {
    const productId = await newProduct(10);
    const other = await newProduct(10);
    const items = [
      { productId, quantity: 3 },
      { productId: other, quantity: 1 },
      { productId, quantity: 4 },
    ];

    const { order } = await alice.place(items, { wait: 10 });

    expect(order.items.map((line) => [line.productId, line.quantity])).toEqual([
      [productId, 7],
      [other, 1],
    ]);
    expect(order.total).toEqual({ amount: 8 * 1000, currency: 'EUR' });
    expect(await stockLine(stack, productId)).toBe('3/7/0');
  });

  test('is answered at once to those who do not wait, and can be followed', async () => {
    const productId = await newProduct(5);

    const accepted = await alice.place([{ productId, quantity: 1 }]);

    expect(accepted.status).toBe(202);
    expect(['CREATED', 'PENDING_RESERVING_STOCK']).toContain(accepted.order.status);
    expect(accepted.order.paymentUrl).toBeNull();
    const location = accepted.headers.get('location') ?? '';
    await eventually(async () => {
      expect((await alice.call('GET', location)).summary).toBe('200 PENDING_PAYMENT');
    });

    const paying = await alice.pay(accepted.order.orderId, 'tok_ok');
    expect(paying.status).toBe(202);
    const paymentLocation = paying.headers.get('location') ?? '';
    await eventually(async () => {
      expect((await alice.call('GET', paymentLocation)).summary).toBe('200 CAPTURED');
    });
    await eventually(() => alice.expectStatus(accepted.order.orderId, 'PAYMENT_DONE'));
  });

  test('carries its version as ETag, which every write moves on', async () => {
    const placed = await alice.place([{ productId: await newProduct(5), quantity: 1 }], {
      wait: 10,
    });
    expect(placed.headers.get('etag')).toBe(`"${String(placed.order.version)}"`);

    await alice.pay(placed.order.orderId, 'tok_ok', { wait: 10 });

    const later = await alice.call('GET', `/order/${placed.order.orderId}`);
    expect(later.headers.get('etag')).toBe(`"${String(later.order.version)}"`);
    expect(later.order.version).toBeGreaterThan(placed.order.version);
  });
});

describe('bad input', () => {
  const line = { productId: 'prod-coffee', quantity: 1 };
  const lines = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ productId: `p${String(index)}`, quantity: 1 }));

  test.each<[string, unknown]>([
    ['no JSON', '{"items": ['],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', [line]],
    ['no items', {}],
    ['an unknown field', { items: [line], coupon: 'FREE' }],
    ['an unknown field in a line', { items: [{ ...line, unitPrice: 1 }] }],
    ['a fraction', { items: [{ ...line, quantity: 1.5 }] }],
    ['a quantity in quotes', { items: [{ ...line, quantity: '1' }] }],
    ['a quantity beyond all integers', { items: [{ ...line, quantity: 1e300 }] }],
    ['a product id that is no text', { items: [{ ...line, productId: 7 }] }],
    ['an empty product id', { items: [{ ...line, productId: '' }] }],
    ['no line', { items: [] }],
    ['21 lines', { items: lines(21) }],
    ['more than 64 KiB', { items: [line], note: 'x'.repeat(64 * 1024) }],
  ])('of %s is a problem and stores nothing', async (_what, body) => {
    const bob = await Customer.of(stack);

    const refused = await bob.call('POST', '/order', body);

    expect(refused.status, refused.text).toBe(400);
    expect(['BAD_REQUEST', 'BODY_TOO_LARGE']).toContain(refused.problem.code);
    expect(await ordersOf(stack, bob.userId)).toEqual([]);
  });

  test('that is well-formed at the limit is taken: 20 lines', async () => {
    const refused = await alice.place(lines(20), { wait: 10 });
    expect(refused.summary).toBe('422 UNKNOWN_PRODUCT');
  });

  test.each<[string, unknown]>([
    ['no JSON', 'tok_ok'],
    ['no method', { orderId: 'ord_1' }],
    ['a method of another shape', { orderId: 'ord_1', paymentMethod: 'tok_ok' }],
    ['an unknown field', { orderId: 'ord_1', paymentMethod: { token: 'tok_ok', cvc: '123' } }],
  ])('of %s to a payment is a problem', async (_what, body) => {
    expect((await alice.call('POST', '/payment', body)).summary).toBe('400 BAD_REQUEST');
  });

  test('as Idempotency-Key is a problem', async () => {
    const answer = await alice.place(COFFEE, { key: 'x'.repeat(256) });
    expect(answer.summary).toBe('400 BAD_REQUEST');
  });
});

describe('every answer', () => {
  test('is a problem with all its members where something is wrong', async () => {
    const problems: [Answer, string, string][] = [
      [await call(stack, 'POST', '/order', {}, { items: COFFEE }), '401 UNAUTHENTICATED', '/order'],
      [await alice.call('POST', '/order', {}), '400 BAD_REQUEST', '/order'],
      [await alice.call('GET', '/order/ord_none'), '404 NOT_FOUND', '/order/ord_none'],
      [await alice.call('GET', '/payment/pay_none'), '404 NOT_FOUND', '/payment/pay_none'],
      [await alice.call('GET', '/product/prod-none'), '404 NOT_FOUND', '/product/prod-none'],
      [await alice.call('GET', '/no/such/path'), '404 NOT_FOUND', '/no/such/path'],
      [await alice.call('PATCH', '/order'), '404 NOT_FOUND', '/order'],
      [await alice.pay('ord_none', 'tok_ok'), '404 NOT_FOUND', '/payment'],
    ];
    for (const [answer, summary, instance] of problems) {
      expect(answer.summary).toBe(summary);
      expect(answer.problem).toEqual({
        type: expect.stringMatching(/^urn:ordersaga:problem:[a-z-]+$/),
        title: expect.stringMatching(/./),
        status: answer.status,
        detail: expect.stringMatching(/./),
        instance,
        code: expect.stringMatching(/^[A-Z_]+$/),
        ...('errors' in answer.problem ? { errors: expect.any(Array) } : {}),
      });
      expect(answer.headers.get('x-correlation-id')).toMatch(/./);
    }
  });

  test('carries a correlation id: the one given, or a new one', async () => {
    const headers = { 'x-correlation-id': 'shop.4711:a-b_c' };
    const answers = [
      await alice.call('GET', '/product', undefined, { headers }),
      await alice.call('GET', '/nowhere', undefined, { headers }),
      await call(stack, 'GET', '/health', headers),
      await call(stack, 'POST', '/order', headers, '{'),
    ];
    expect(answers.map((answer) => answer.headers.get('x-correlation-id'))).toEqual(
      answers.map(() => headers['x-correlation-id']),
    );

    const fresh = await alice.call('GET', '/product');
    const unsafe = await alice.call('GET', '/product', undefined, {
      headers: { 'x-correlation-id': 'two words "quoted"' },
    });
    expect(fresh.headers.get('x-correlation-id')).toMatch(/^[\w-]{16,}$/);
    expect(unsafe.headers.get('x-correlation-id')).toMatch(/^[\w-]{16,}$/);
  });

  test('about health needs no token', async () => {
    const health = await call(stack, 'GET', '/health');
    expect([health.status, health.json]).toEqual([200, { status: 'ok' }]);
  });

  test('about products shows the counters only to those who manage them', async () => {
    const product = await alice.call('GET', '/product/prod-coffee');
    expect(product.json).toEqual({
      productId: 'prod-coffee',
      name: expect.any(String),
      description: expect.any(String),
      unitPrice: { amount: 1299, currency: 'EUR' },
      active: true,
      available: expect.any(Number),
      maxPerOrder: 25,
    });
    const { products } = (await alice.call('GET', '/product')).json as {
      products: Record<string, unknown>[];
    };
    expect(products.map(({ productId }) => productId)).toEqual(
      expect.arrayContaining(['prod-coffee', 'prod-grinder', 'prod-mug', 'prod-retired']),
    );
    expect(products.filter((each) => 'reserved' in each || 'sold' in each)).toEqual([]);

    const manager = await Customer.of(stack, 'products:write');
    expect((await manager.call('GET', '/product/prod-coffee')).json).toMatchObject({
      reserved: expect.any(Number),
      sold: expect.any(Number),
      received: 100,
    });
  });
});

test("a payment method's token shows up nowhere", async () => {
  if (isDeployed || isSimulated) embeddedOnly('the log is read');
  const productId = await newProduct(5);
  const captured = await alice.reserved(productId, 1);
  const declined = await alice.reserved(productId, 2);
  const secret = 'tok_secret_4242424242424242';
  const answers = [
    await alice.pay(captured.orderId, 'tok_flaky'),
    await alice.pay(declined.orderId, secret, { wait: 10, key: 'secret' }),
  ];
  await eventually(() => alice.expectStatus(captured.orderId, 'PAYMENT_IN_PROGRESS'));
  const open = await alice.order(captured.orderId);
  const openPayment = await alice.call('GET', `/payment/${open.paymentId ?? ''}`);
  await stack.clock.advance(30_000);
  await eventually(() => alice.expectStatus(captured.orderId, 'PAYMENT_DONE'));

  const client = new SFNClient({ endpoint: stack.endpoints.stepFunctions, region: 'eu-central-1' });
  const histories = await Promise.all(
    [captured, declined].map(({ orderId }) =>
      client.send(
        new GetExecutionHistoryCommand({
          executionArn: `${stack.orderSagaArn.replace(':stateMachine:', ':execution:')}:${orderId}-1`,
          includeExecutionData: true,
        }),
      ),
    ),
  );
  client.destroy();
  expect(histories.map(({ events }) => events?.length ?? 0).every((count) => count > 10)).toBe(
    true,
  );
  expect(stack.logs().length).toBeGreaterThan(10);

  const seen = JSON.stringify([
    answers.map(({ text }) => text),
    openPayment.text,
    open,
    await alice.order(captured.orderId),
    await alice.order(declined.orderId),
    histories,
    stack.logs(),
    messagesIn(stack, 'SagaDeadLetterQueue'),
    messagesIn(stack, 'CompensationQueue'),
    (await snapshotOf(stack)).payments,
  ]);
  expect(seen).not.toContain('tok_flaky');
  expect(seen).not.toContain(secret);
});

describe('a history', () => {
  test.each(['operator', 'ordersaga', 'user', 'manager'])(
    'cannot be forged by a user whose name is %s',
    async (name) => {
      const headers = { authorization: `Bearer ${await stack.mintToken(name)}`, prefer: 'wait=10' };
      const productId = await newProduct(5);
      const items = [{ productId, quantity: 1 }];
      const { orderId } = (await call(stack, 'POST', '/order', headers, { items })).order;
      await call(stack, 'PUT', `/order/${orderId}`, headers, {
        items: [{ productId, quantity: 2 }],
      });
      const path = `/order/cancelorder/${orderId}`;
      const { history } = (await call(stack, 'POST', path, headers)).order;
      expect(history.map(({ reason, by }) => `${reason} ${by}`)).toEqual([
        'ORDER_PLACED user',
        'SAGA_STARTED ordersaga',
        'STOCK_RESERVED ordersaga',
        'USER_MODIFIED user',
        'STOCK_RESERVED ordersaga',
        'USER_CANCELLED user',
      ]);
    },
  );
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(stack);
});
