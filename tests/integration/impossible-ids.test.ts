import { describe, expect, test } from 'vitest';
import { databaseCall, inject } from '../support/faults.ts';
import { expectPromisesAtRest, snapshotOf } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import { type Answer, Customer, callInventory, newProduct } from '../support/shop.ts';

const scene = new Scene({ SCHEDULE_SECONDS: '3600' });

const ITEMS = { items: [{ productId: 'prod-mug', quantity: 1 }] };
/** Longer than a key of DynamoDB may be. */
const LONG = 'a'.repeat(2100);
const HALF = '\\ud800';
const DIGEST = '0'.repeat(26);

/** Ids that nothing has: too long, one character too many, upper case, characters of a URL, empty in effect. */
const IMPOSSIBLE = [
  LONG,
  `ord_${DIGEST}0`,
  `ord_${'0'.repeat(25)}G`,
  `pay_${DIGEST}_${DIGEST}x`,
  `prod-${LONG}`,
  '%20',
  '%00',
  '...',
  '%F0%9F%98%80',
  'ord_%2F..%2Fprod',
];

type Route = [method: string, path: string, body?: object];

/** Requests of every route with an id in its path. */
const ROUTES: readonly Route[] = [
  ['GET', '/order/{id}'],
  ['PUT', '/order/{id}', ITEMS],
  ['POST', '/order/cancelorder/{id}'],
  ['POST', '/order/retryorder/{id}'],
  ['GET', '/payment/{id}'],
  ['GET', '/product/{id}'],
  ['PUT', '/product/{id}', { name: 'Cup' }],
  ['POST', '/product/{id}/stock', { quantity: 1 }],
];

const HOLD = { revision: 1, holdSeconds: 60 };
const PAYMENT = { revision: 1, paymentId: `pay_${DIGEST}_${DIGEST}` };

/** Requests of the Inventory Service's routes. */
const INVENTORY_ROUTES: readonly Route[] = [
  ['PUT', '/inventory/reservation/{id}', { ...HOLD, ...ITEMS }],
  ['GET', '/inventory/reservation/{id}'],
  ['DELETE', '/inventory/reservation/{id}?revision=1'],
  ['POST', '/inventory/reservation/{id}/extend', HOLD],
  ['POST', '/inventory/reservation/{id}/confirm', PAYMENT],
  ['GET', '/inventory/product/{id}'],
];

/** Counts the requests to the services' own tables from now on. */
function countDatabaseCalls() {
  return inject(scene.stack, {
    on: ({ kind, target }) => kind === 'dynamodb' && !target.includes('idempotency'),
    act: (proceed) => proceed(),
  });
}

describe('an id that nothing can have', () => {
  test.each(ROUTES)(
    'in %s %s is answered 404 without a look at the table',
    async (method, path, body) => {
      const user = await Customer.of(scene.stack, 'products:write');
      const calls = countDatabaseCalls();
      for (const id of IMPOSSIBLE) {
        for (const key of [undefined, 'the-key']) {
          const answer = await user.call(method, path.replace('{id}', id), body, { key });
          expect(answer.summary, id).toBe('404 NOT_FOUND');
        }
      }
      expect(calls.strikes).toBe(0);
    },
  );

  test.each(INVENTORY_ROUTES)('in %s %s of Inventory too', async (method, path, body) => {
    const calls = countDatabaseCalls();
    for (const id of IMPOSSIBLE) {
      const answer = await callInventory(scene.stack, method, path.replace('{id}', id), {}, body);
      expect(answer.summary, id).toBe('404 NOT_FOUND');
    }
    expect(calls.strikes).toBe(0);
  });

  test('gets the answer of an id that another user has', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const other = await Customer.of(scene.stack);
    const hidden = await other.call('GET', `/order/${orderId}`);
    const impossible = await other.call('GET', `/order/${LONG}`);
    expect(impossible.problem.detail).toBe(hidden.problem.detail);
  });

  test.each([
    ['of an order to pay', '404 NOT_FOUND', (id: string) => scene.user.pay(id, 'tok_ok')],
    [
      'of an order to pay again',
      '404 NOT_FOUND',
      (id: string) => scene.user.retryPayment(id, 'tok_ok'),
    ],
  ])('in a body, %s, is no outage either', async (_what, none, send) => {
    const calls = countDatabaseCalls();
    for (const id of ['.', '..', '../..', 'x', `ord_${DIGEST}0`, '\u20ac']) {
      expect((await send(id)).summary, id).toBe(none);
    }
    expect((await send(LONG)).summary).toBe('400 BAD_REQUEST');
    expect(calls.strikes).toBe(0);
  });

  test.each(['.', '..', '../../inventory', 'No product', '\u20ac', 'prod_mug', 'a'.repeat(100)])(
    'in a body, of a product such as %j, is that of an unknown product',
    async (productId) => {
      const answer = await scene.user.place([{ productId, quantity: 1 }], { wait: 10 });
      expect(answer.summary).toBe('422 UNKNOWN_PRODUCT');
    },
  );

  test.each(['.', '..', '../..', 'No product', 'a'.repeat(100)])(
    'of a product such as %j is unknown to Inventory too',
    async (productId) => {
      const body = { ...HOLD, items: [{ productId, quantity: 1 }] };
      const path = `/inventory/reservation/ord_${DIGEST}`;
      const answer = await callInventory(scene.stack, 'PUT', path, {}, body);
      expect(answer.summary).toBe('422 UNKNOWN_PRODUCT');
    },
  );
});

describe('half a surrogate pair', () => {
  const order = `{"items":[{"productId":"prod-${HALF}","quantity":1}]}`;
  const payment = (orderId: string, token: string) =>
    `{"orderId":"${orderId}","paymentMethod":{"token":"${token}"}}`;
  const product = (name: string, description: string) =>
    `{"name":"${name}","description":"${description}","stock":1,` +
    '"unitPrice":{"amount":1,"currency":"EUR"}}';

  test.each([
    ['POST', '/order', order],
    ['PUT', `/order/ord_${DIGEST}`, order],
    ['POST', '/payment', payment(HALF, 'tok_ok')],
    ['POST', '/payment', payment(`ord_${DIGEST}`, `tok_${HALF}`)],
    ['POST', '/retrypayment', payment(HALF, 'tok_ok')],
    ['POST', '/product', product(HALF, '')],
    ['POST', '/product', product('Cup', HALF)],
    ['PUT', '/product/prod-mug', `{"name":"${HALF}"}`],
    ['POST', '/order', `{"items":[],"${HALF}":1}`],
  ])('in a body of %s %s is answered 400', async (method, path, body) => {
    const user = await Customer.of(scene.stack, 'products:write');
    const answer = await user.call(method, path, body);
    expect(answer.summary).toBe('400 BAD_REQUEST');
  });

  test('is nothing of a whole pair', async () => {
    const answer = await scene.user.call(
      'POST',
      '/order',
      '{"items":[{"productId":"\\ud83d\\ude00","quantity":1}]}',
      { wait: 10 },
    );
    expect(answer.summary).toBe('422 UNKNOWN_PRODUCT');
  });
});

describe('an odd', () => {
  const cursor = (text: string) => `?cursor=${Buffer.from(text).toString('base64url')}`;

  test.each([
    '?cursor=',
    '?cursor=*',
    `?cursor=${LONG}`,
    cursor(LONG),
    cursor('.'),
    cursor('\ud800'),
    cursor(`${'9'.repeat(15)}#ord_${LONG}`),
    cursor(`${'9'.repeat(15)}#ord_${DIGEST}\n`),
  ])('cursor is answered 400: %j', async (query) => {
    const queries = inject(scene.stack, {
      on: ({ operation }) => operation === 'Query',
      act: (proceed) => proceed(),
    });
    for (const path of ['/order', '/product']) {
      expect((await scene.user.call('GET', path + query)).summary).toBe('400 BAD_REQUEST');
    }
    expect(queries.strikes).toBe(0);
  });

  test.each(['', ' ', 'a b', 'k'.repeat(256), 'caf\u00e9'])(
    'Idempotency-Key is answered 400: %j',
    async (key) => {
      const productId = await newProduct(1);
      const answer = await scene.user.place([{ productId, quantity: 1 }], { key });
      expect(answer.summary).toBe('400 BAD_REQUEST');
    },
  );

  test.each(['1', 'W/"1"', '"1", "2"', '"x"', '"-1"', '"1.5"', `"${'9'.repeat(16)}"`, '""'])(
    'If-Match is answered 400: %j',
    async (ifMatch) => {
      const manager = await Customer.of(scene.stack, 'products:write');
      const { orderId } = await scene.user.reserved(scene.productId);
      const headers = { 'if-match': ifMatch };
      const items = [{ productId: scene.productId, quantity: 2 }];
      const answers: Answer[] = [
        await scene.user.modify(orderId, items, { headers }),
        await manager.call('PUT', `/product/${scene.productId}`, { name: 'Cup' }, { headers }),
      ];
      for (const { summary } of answers) expect(summary).toBe('400 BAD_REQUEST');
    },
  );
});

describe('a request that the database can never take', () => {
  test('is a defect of ours: 500, and no advice to wait', async () => {
    const refuse = () =>
      Promise.reject(
        Object.assign(new Error('a key is too long'), { name: 'ValidationException' }),
      );
    inject(scene.stack, { on: databaseCall('GetItem', 'orders'), act: refuse });
    const answer = await scene.user.call('GET', `/order/ord_${DIGEST}`);
    expect(answer.summary).toBe('500 INTERNAL_ERROR');
    expect(answer.headers.get('retry-after')).toBeNull();
  });
});

test('at the end nothing was stored for them, and every promise holds', async () => {
  const text = JSON.stringify(await snapshotOf(scene.stack));
  expect(text).not.toContain(LONG);
  await expectPromisesAtRest(scene.stack);
});
