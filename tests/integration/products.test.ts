import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Effect } from '../../lib/platform/effects.ts';
import { after, dieAfter, heal, inject } from '../support/faults.ts';
import { expectPromisesAtRest, scan } from '../support/invariants.ts';
import { type Answer, Customer, newProduct, stockLine, stockOf } from '../support/shop.ts';
import { aMoment, eventually, startTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

/** An interrupted request frees its idempotency key after its function's time-out. */
const LAMBDA_TIMEOUT_MS = 20_000;

let stack: TestStack;
let manager: Customer;

beforeAll(async () => {
  stack = await startTestStack({ RESERVATION_TTL_SECONDS: '3600', SCHEDULE_SECONDS: '3600' });
  manager = await Customer.of(stack, 'products:write');
});

afterAll(async () => {
  await stack.stop();
});

afterEach(() => {
  heal(stack);
});

interface ProductDocument {
  readonly productId: string;
  readonly name: string;
  readonly unitPrice: { readonly amount: number; readonly currency: string };
  readonly active: boolean;
  readonly available: number;
  readonly reserved?: number;
  readonly sold?: number;
  readonly received?: number;
}

const productOf = (answer: Answer) => answer.json as ProductDocument;
const etag = (answer: Answer) => answer.headers.get('etag');
const eur = (amount: number) => ({ amount, currency: 'EUR' });

const TEAPOT = { name: 'Teapot', description: 'Cast iron.', unitPrice: eur(4200), stock: 7 };

/** A write of several items: a product and the record of its change, a receipt, or a reservation. */
function anyTransaction({ kind, operation }: Effect): boolean {
  return kind === 'dynamodb' && operation === 'TransactWriteItems';
}

function receive(productId: string, quantity: unknown, key?: string): Promise<Answer> {
  return manager.call('POST', `/product/${productId}/stock`, { quantity }, { key });
}

describe('whoever lacks the scope products:write', () => {
  test.each([
    ['POST', '/product', TEAPOT],
    ['PUT', '/product/prod-mug', { name: 'Cup' }],
    ['POST', '/product/prod-mug/stock', { quantity: 1 }],
  ])('is refused %s %s', async (method, path, body) => {
    const customer = await Customer.of(stack, 'products:read');
    expect((await customer.call(method, path, body)).summary).toBe('403 MISSING_SCOPE');
    // The missing scope comes before any other error.
    expect((await customer.call(method, path, 'no JSON')).summary).toBe('403 MISSING_SCOPE');
  });

  test('sees products, their ETag and what is available, but no other counter', async () => {
    const productId = await newProduct(3);
    const customer = await Customer.of(stack);
    const answer = await customer.call('GET', `/product/${productId}`);
    expect(answer.json).toEqual({
      productId,
      name: 'Test',
      description: 'A product of one test.',
      unitPrice: eur(1000),
      active: true,
      available: 3,
    });
    expect(etag(answer)).toBe('"1"');
  });
});

describe('POST /product', () => {
  test('creates a product that can be ordered', async () => {
    const answer = await manager.call('POST', '/product', { productId: 'teapot-1', ...TEAPOT });

    expect(answer.status, answer.text).toBe(201);
    expect(answer.headers.get('location')).toBe('/product/teapot-1');
    expect(etag(answer)).toBe('"1"');
    expect(answer.json).toEqual({
      productId: 'teapot-1',
      name: 'Teapot',
      description: 'Cast iron.',
      unitPrice: eur(4200),
      active: true,
      available: 7,
      reserved: 0,
      sold: 0,
      received: 7,
    });
    expect((await manager.call('GET', '/product/teapot-1')).json).toEqual(answer.json);
    const order = await (await Customer.of(stack)).reserved('teapot-1', 2);
    expect(order.total).toEqual(eur(8400));
  });

  test('gives it an id where none is given, another one each time', async () => {
    const [first, second] = [
      await manager.call('POST', '/product', TEAPOT),
      await manager.call('POST', '/product', { ...TEAPOT, active: false, stock: 0 }),
    ];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(productOf(first).productId).toMatch(/^prod-[0-9a-f]{26}$/);
    expect(productOf(second).productId).not.toBe(productOf(first).productId);
    expect(productOf(second)).toMatchObject({ active: false, available: 0, received: 0 });
  });

  test('refuses an id that is taken', async () => {
    const body = { productId: 'teapot-taken', ...TEAPOT };
    const first = await manager.call('POST', '/product', body);
    for (const key of [undefined, 'another-key']) {
      const again = await manager.call('POST', '/product', { ...body, name: 'Kettle' }, { key });
      expect(again.summary).toBe('409 PRODUCT_EXISTS');
    }
    expect((await manager.call('GET', '/product/teapot-taken')).json).toEqual(first.json);
  });

  test('of many at once with one id lets one win', async () => {
    const body = { productId: 'teapot-contended', ...TEAPOT };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => manager.call('POST', '/product', body)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
  });

  test('repeated with its key answers the same product', async () => {
    const first = await manager.call('POST', '/product', TEAPOT, { key: 'create-1' });
    const again = await manager.call('POST', '/product', TEAPOT, { key: 'create-1' });
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const other = await manager.call(
      'POST',
      '/product',
      { ...TEAPOT, stock: 8 },
      { key: 'create-1' },
    );
    expect(other.summary).toBe('422 IDEMPOTENCY_CONFLICT');
  });

  describe.each([
    [
      'with an id',
      (name: string) => ({ productId: `teapot-${name}`, ...TEAPOT }),
      '409 PRODUCT_EXISTS',
    ],
    ['without one', () => TEAPOT, '422 IDEMPOTENCY_CONFLICT'],
  ])('%s, repeated after a crash,', (kind, bodyNamed, conflict) => {
    async function createAndDie(name: string) {
      const body = bodyNamed(name);
      const create = (changes = {}) =>
        manager.call(
          'POST',
          '/product',
          { ...body, ...changes },
          { key: `${name} ${kind}`.replaceAll(' ', '-') },
        );
      inject(stack, { on: anyTransaction, times: 1, act: dieAfter });
      expect((await create()).status).toBe(502);
      await stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);
      return create;
    }

    test('finds the product it made', async () => {
      const create = await createAndDie('crash');
      const answer = await create();
      expect(answer.status, answer.text).toBe(201);
      const { productId } = productOf(answer);
      expect(answer.json).toEqual((await manager.call('GET', `/product/${productId}`)).json);
      expect(productOf(answer)).toMatchObject({ name: 'Teapot', available: 7, received: 7 });
    });

    test('is refused where it is another request now', async () => {
      const create = await createAndDie('crash-then-other');
      expect((await create({ stock: 8 })).summary).toBe(conflict);
    });
  });

  const id = (productId: unknown) => ({ ...TEAPOT, productId });
  const price = (unitPrice: unknown) => ({ ...TEAPOT, unitPrice });
  test.each([
    ['an empty body', {}, 'name'],
    ['an unknown field', { ...TEAPOT, colour: 'red' }, 'colour'],
    ['an id in capitals', id('Teapot'), '^[a-z0-9][a-z0-9-]{0,62}$'],
    ['an id that begins with a dash', id('-teapot'), '^[a-z0-9][a-z0-9-]{0,62}$'],
    ['an id with a slash', id('tea/pot'), '^[a-z0-9][a-z0-9-]{0,62}$'],
    ['an id with an end of line', id('teapot\n'), '^[a-z0-9][a-z0-9-]{0,62}$'],
    ['too long an id', id('t'.repeat(64)), '^[a-z0-9][a-z0-9-]{0,62}$'],
    ['an empty id', id(''), '^[a-z0-9][a-z0-9-]{0,62}$'],
    ['a name of blanks', { ...TEAPOT, name: '  ' }, 'name'],
    ['too long a name', { ...TEAPOT, name: 'n'.repeat(201) }, 'name'],
    ['no description', { ...TEAPOT, description: undefined }, 'description'],
    ['too long a description', { ...TEAPOT, description: 'd'.repeat(2001) }, 'description'],
    ['a price of nothing', price(eur(0)), 'unitPrice.amount'],
    ['a fraction of a cent', price(eur(1.5)), 'unitPrice.amount'],
    ['a price that is too high', price(eur(1_000_000_001)), 'unitPrice.amount'],
    ['a price without currency', price({ amount: 1 }), 'unitPrice.currency'],
    ['a currency in words', price({ amount: 1, currency: 'euro' }), 'unitPrice.currency'],
    ['a price as a number', price(4200), 'unitPrice'],
    ['a negative stock', { ...TEAPOT, stock: -1 }, 'stock'],
    ['too much stock', { ...TEAPOT, stock: 1_000_000_001 }, 'stock'],
    ['half a piece', { ...TEAPOT, stock: 0.5 }, 'stock'],
    ['active in words', { ...TEAPOT, active: 'yes' }, 'active'],
    ['no JSON', 'Teapot', 'JSON'],
  ])('refuses %s', async (_what, body, named) => {
    const answer = await manager.call('POST', '/product', body);
    expect(answer.summary).toBe('400 BAD_REQUEST');
    expect(answer.problem.detail).toContain(named);
  });
});

describe('PUT /product/{productId}', () => {
  test.each([
    ['name', { name: 'Cup' }],
    ['description', { description: '' }],
    ['unitPrice', { unitPrice: { amount: 1, currency: 'USD' } }],
    ['active', { active: false }],
  ])('changes %s and nothing else', async (_field, change) => {
    const productId = await newProduct(5);
    await (await Customer.of(stack)).reserved(productId, 2);
    const before = productOf(await manager.call('GET', `/product/${productId}`));

    const answer = await manager.call('PUT', `/product/${productId}`, change);

    expect([answer.status, etag(answer)]).toEqual([200, '"2"']);
    expect(answer.json).toEqual({ ...before, ...change });
    expect((await manager.call('GET', `/product/${productId}`)).json).toEqual(answer.json);
  });

  test('keeps who changed what, and when; a repeated request changes nothing more', async () => {
    const product = { ...TEAPOT, productId: 'prod-recorded', maxPerOrder: 5 };
    await manager.call('POST', '/product', product);
    const put = (body: object, key?: string) =>
      manager.call('PUT', '/product/prod-recorded', body, { key });
    await put({ unitPrice: eur(3900) }, 'cheaper');
    await put({ unitPrice: eur(3900) }, 'cheaper');
    await put({ unitPrice: eur(1), maxPerOrder: 4, active: false });
    await receive('prod-recorded', 3);

    const items = await scan(stack, 'InventoryTable');
    const ofProduct = items.filter(({ productId }) => productId === 'prod-recorded');
    const { name, description, unitPrice } = TEAPOT;
    const by = manager.userId;
    const at = expect.stringMatching(/^20\d\d-.*Z$/) as string;
    const changes = ofProduct.filter(({ type }) => type === 'CHANGE');
    expect(changes.sort((one, other) => Number(one['version']) - Number(other['version']))).toEqual(
      [
        expect.objectContaining({
          ...{ version: 1, by, at, from: {} },
          to: { name, description, unitPrice, maxPerOrder: 5, status: 'ACTIVE' },
        }),
        expect.objectContaining({
          ...{ version: 2, by, at },
          from: { unitPrice: eur(4200) },
          to: { unitPrice: eur(3900) },
        }),
        expect.objectContaining({
          ...{ version: 3, by, at },
          from: { unitPrice: eur(3900), maxPerOrder: 5, status: 'ACTIVE' },
          to: { unitPrice: eur(1), maxPerOrder: 4, status: 'WITHDRAWN' },
        }),
      ],
    );
    expect(ofProduct.filter(({ type }) => type === 'RECEIPT')).toEqual([
      expect.objectContaining({ by, at, quantity: 3 }),
    ]);
  });

  test('honours If-Match', async () => {
    const productId = await newProduct(5);
    const put = (ifMatch: string, name: string) =>
      manager.call('PUT', `/product/${productId}`, { name }, { headers: { 'if-match': ifMatch } });
    expect((await put('"1"', 'A')).status).toBe(200);
    expect((await put('"1"', 'B')).summary).toBe('412 PRECONDITION_FAILED');
    expect((await put('*', 'C')).status).toBe(200);
    expect((await put('3', 'D')).summary).toBe('400 BAD_REQUEST');
    const product = await manager.call('GET', `/product/${productId}`);
    expect([productOf(product).name, etag(product)]).toEqual(['C', '"3"']);
  });

  test('at once: all changes hold; with If-Match only one does', async () => {
    const productId = await newProduct(5);
    const put = (body: object, headers = {}) =>
      manager.call('PUT', `/product/${productId}`, body, { headers });
    const free = await Promise.all([
      put({ name: 'Cup' }),
      put({ description: 'Glass.' }),
      put({ unitPrice: eur(2000) }),
    ]);
    expect(free.map(({ status }) => status)).toEqual([200, 200, 200]);
    const product = await manager.call('GET', `/product/${productId}`);
    expect(product.json).toMatchObject({
      name: 'Cup',
      description: 'Glass.',
      unitPrice: eur(2000),
    });
    expect(etag(product)).toBe('"4"');

    const matched = await Promise.all(
      ['A', 'B', 'C'].map((name) => put({ name }, { 'if-match': '"4"' })),
    );
    expect(matched.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
  });

  test('does not undo a reservation or a receipt that came in between', async () => {
    const productId = await newProduct(5);
    const customer = await Customer.of(stack);
    const meanwhile = async () => {
      heal(stack);
      await customer.reserved(productId, 2);
      await receive(productId, 10);
    };
    inject(stack, { on: anyTransaction, times: 1, act: after(meanwhile) });

    const answer = await manager.call('PUT', `/product/${productId}`, { name: 'Cup' });

    expect(answer.json).toMatchObject({ name: 'Cup', available: 13, reserved: 2, received: 15 });
  });

  test('with If-Match, repeated after a crash, finds that it is done', async () => {
    const productId = await newProduct(5);
    const put = () =>
      manager.call(
        'PUT',
        `/product/${productId}`,
        { name: 'Cup' },
        { key: 'put-crash', headers: { 'if-match': '"1"' } },
      );
    inject(stack, { on: anyTransaction, times: 1, act: dieAfter });
    expect((await put()).status).toBe(502);
    await stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);
    const again = await put();
    expect([again.status, etag(again), productOf(again).name]).toEqual([200, '"2"', 'Cup']);
  });

  test('leaves the price of what is reserved as it was', async () => {
    const productId = await newProduct(5);
    const customer = await Customer.of(stack);
    const { orderId } = await customer.reserved(productId, 2);

    await manager.call('PUT', `/product/${productId}`, { unitPrice: eur(2000) });

    const order = await customer.order(orderId);
    expect([order.items[0]?.unitPrice, order.total]).toEqual([eur(1000), eur(2000)]);
    const paid = await customer.pay(orderId, 'tok_ok', { wait: 10 });
    expect(paid.payment).toMatchObject({ status: 'CAPTURED', amount: eur(2000) });
    const next = await (await Customer.of(stack)).reserved(productId, 2);
    expect(next.total).toEqual(eur(4000));
  });

  test('takes a product off sale and puts it back', async () => {
    const productId = await newProduct(5);
    await (await Customer.of(stack)).reserved(productId, 1);
    await manager.call('PUT', `/product/${productId}`, { active: false });

    const customer = await Customer.of(stack);
    const order = () => customer.place([{ productId, quantity: 2 }], { key: 'on-sale', wait: 10 });
    const refused = await order();
    expect([refused.summary, refused.problem]).toMatchObject([
      '409 PRODUCT_UNAVAILABLE',
      { reason: 'PRODUCT_UNAVAILABLE' },
    ]);
    expect(await stockLine(stack, productId)).toBe('4/1/0');

    await manager.call('PUT', `/product/${productId}`, { active: true });
    const accepted = await order();
    expect(accepted.summary).toBe('201 PENDING_PAYMENT');
    expect(accepted.order.orderId).toBe(refused.problem.orderId);
    expect(await stockLine(stack, productId)).toBe('2/3/0');
  });

  test('of an unknown product is 404', async () => {
    const answer = await manager.call('PUT', '/product/prod-nowhere', { name: 'Cup' });
    expect(answer.summary).toBe('404 NOT_FOUND');
  });

  test.each([
    ['no change', {}, 'at least one of name, description, unitPrice, active and maxPerOrder'],
    ['no body', undefined, 'JSON'],
    ['an empty name', { name: '' }, 'name'],
    ['null', { name: null }, 'name'],
    ['a counter', { available: 5 }, 'available'],
    ['another id', { productId: 'prod-mug' }, 'productId'],
    ['half a price', { unitPrice: { amount: 1 } }, 'unitPrice.currency'],
  ])('refuses %s', async (_what, body, named) => {
    const answer = await manager.call('PUT', '/product/prod-mug', body);
    expect(answer.summary).toBe('400 BAD_REQUEST');
    expect(answer.problem.detail).toContain(named);
  });
});

describe('POST /product/{productId}/stock', () => {
  test('adds what arrived', async () => {
    const productId = await newProduct(5);
    await (await Customer.of(stack)).reserved(productId, 2);
    const answer = await receive(productId, 10);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toMatchObject({ productId, available: 13, reserved: 2, received: 15 });
    expect((await receive(productId, 1)).json).toMatchObject({ available: 14, received: 16 });
  });

  test('counts once a key, however often and however much at once it is sent', async () => {
    const productId = await newProduct(5);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => receive(productId, 3, 'arrival-1')),
    );
    for (const { status } of answers) expect([200, 409]).toContain(status);
    expect((await receive(productId, 3, 'arrival-1')).status).toBe(200);
    expect(await stockOf(stack, productId)).toMatchObject({ available: 8, received: 8 });
    expect((await receive(productId, 4, 'arrival-1')).summary).toBe('422 IDEMPOTENCY_CONFLICT');
    expect((await receive(productId, 3, 'arrival-2')).json).toMatchObject({ received: 11 });
  });

  test('counts once where the handler died between counting and answering', async () => {
    const productId = await newProduct(5);
    inject(stack, { on: anyTransaction, times: 1, act: dieAfter });
    expect((await receive(productId, 3, 'crash')).status).toBe(502);
    expect((await receive(productId, 3, 'crash')).summary).toBe('409 REQUEST_IN_PROGRESS');

    await stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);
    const again = await receive(productId, 3, 'crash');

    expect([again.status, productOf(again).available]).toEqual([200, 8]);
    expect(await stockOf(stack, productId)).toMatchObject({ available: 8, received: 8 });
  });

  test('of another quantity after such a crash is refused', async () => {
    const productId = await newProduct(5);
    inject(stack, { on: anyTransaction, times: 1, act: dieAfter });
    await receive(productId, 3, 'crash-then-other');
    await stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);
    const other = await receive(productId, 4, 'crash-then-other');
    expect(other.summary).toBe('422 IDEMPOTENCY_CONFLICT');
    expect(await stockOf(stack, productId)).toMatchObject({ received: 8 });
  });

  test('waits out a hot product inside the service, and counts once', async () => {
    const productId = await newProduct(5);
    const contention = inject(stack, { on: anyTransaction, times: 4, act: contend });
    expect((await receive(productId, 3, 'hot')).status).toBe(200);
    expect(contention.strikes).toBe(4);
    expect(await stockOf(stack, productId)).toMatchObject({ received: 8 });
  });

  test('gives up at a product that stays hot, and the same key tries again', async () => {
    const productId = await newProduct(5);
    inject(stack, { on: anyTransaction, act: contend });
    expect((await receive(productId, 3, 'too-hot')).summary).toBe('503 LOCK_CONTENTION');
    heal(stack);
    expect((await receive(productId, 3, 'too-hot')).status).toBe(200);
    expect(await stockOf(stack, productId)).toMatchObject({ received: 8 });
  });

  test('while orders take it: everything adds up, always', async () => {
    const productId = await newProduct(5);
    const customers = await Promise.all(Array.from({ length: 20 }, () => Customer.of(stack)));
    let isDone = false;
    const watch = async () => {
      while (!isDone) {
        const { available, reserved, sold, received } = await stockOf(stack, productId);
        expect(available).toBeGreaterThanOrEqual(0);
        expect(available + reserved + sold).toBe(received);
        await aMoment();
      }
    };
    const work = async () => {
      const [, orders] = await Promise.all([
        Promise.all(Array.from({ length: 20 }, (_, index) => receiveAtLast(productId, index + 1))),
        Promise.all(customers.map((customer) => decidedOrder(customer, productId))),
      ]);
      isDone = true;
      return orders;
    };
    const [statuses] = await Promise.all([work(), watch()]);

    const reserved = 3 * statuses.filter((status) => status === 'PENDING_PAYMENT').length;
    expect(await stockOf(stack, productId)).toEqual({
      available: 215 - reserved,
      reserved,
      sold: 0,
      received: 215,
    });
    await expectPromisesAtRest(stack);
  });

  test('of an unknown product is 404', async () => {
    expect((await receive('prod-nowhere', 1)).summary).toBe('404 NOT_FOUND');
  });

  test.each([0, -1, 1.5, 1_000_000_001, '1', null, undefined])(
    'refuses %j pieces',
    async (many) => {
      const answer = await receive('prod-mug', many);
      expect(answer.summary).toBe('400 BAD_REQUEST');
      expect(answer.problem.detail).toContain('quantity');
    },
  );
});

/** Receives stock with a new key, and retries while the product is too busy. */
async function receiveAtLast(productId: string, quantity: number): Promise<void> {
  await eventually(async () => {
    expect((await receive(productId, quantity, `arrival-of-${String(quantity)}`)).status).toBe(200);
  });
}

/** Orders three units; returns the status that the order reaches. */
async function decidedOrder(customer: Customer, productId: string): Promise<string> {
  const answer = await customer.place([{ productId, quantity: 3 }]);
  const { orderId } = answer.order;
  const order = await eventually(() =>
    customer.expectStatus(orderId, 'PENDING_PAYMENT', 'INVALID'),
  );
  return order.status;
}

/** Fails as DynamoDB does if another transaction on the same item came first. */
function contend(): Promise<never> {
  return Promise.reject(
    new TransactionCanceledException({
      message: 'Transaction cancelled',
      $metadata: {},
      CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
    }),
  );
}

describe('GET /product', () => {
  interface ProductsPage {
    readonly products: readonly ProductDocument[];
    readonly next: string | null;
  }

  async function list(query = ''): Promise<ProductsPage> {
    const answer = await manager.call('GET', `/product${query}`);
    expect(answer.status, answer.text).toBe(200);
    return answer.json as ProductsPage;
  }

  const ids = ({ products }: ProductsPage) => products.map(({ productId }) => productId);
  const create = (productId: string) =>
    manager.call('POST', '/product', { productId, ...TEAPOT }).then(({ status }) => {
      expect(status).toBe(201);
    });

  test('shows products as GET /product/{id} does, by id', async () => {
    const { products } = await list('?limit=100');
    const seeds = ['prod-coffee', 'prod-grinder', 'prod-mug', 'prod-retired'];
    expect(products.map(({ productId }) => productId)).toEqual(expect.arrayContaining(seeds));
    expect(products).toEqual(
      await Promise.all(
        products.map(async ({ productId }) =>
          productOf(await manager.call('GET', `/product/${productId}`)),
        ),
      ),
    );
    const seen = products.map(({ productId }) => productId);
    expect(seen).toEqual([...seen].sort());
  });

  test('neither repeats nor skips a product when others are created between two pages', async () => {
    await Promise.all(['zz-b', 'zz-d', 'zz-f', 'zz-h'].map(create));
    const seen: string[] = [];
    let page = await list('?limit=3');
    let isDisturbed = false;
    for (;;) {
      expect(page.products.length).toBeLessThanOrEqual(3);
      seen.push(...ids(page));
      if (page.next === null) break;
      if (!isDisturbed && seen.includes('zz-b')) {
        // One in the pages already read, one at their end, one in a page still to come.
        await Promise.all([create('aa-a'), create(`${String(seen.at(-1))}-0`), create('zz-z')]);
        isDisturbed = true;
      }
      page = await list(`?limit=3&cursor=${page.next}`);
    }
    expect(isDisturbed).toBe(true);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual([...seen].sort());
    expect(seen).toEqual(
      expect.arrayContaining(['prod-mug', 'zz-b', 'zz-d', 'zz-f', 'zz-h', 'zz-z']),
    );
    expect(seen).not.toContain('aa-a');
  });

  test('gives fifty products a page, unless told otherwise', async () => {
    await Promise.all(Array.from({ length: 51 }, () => newProduct(1)));
    const { products, next } = await list();
    expect([products.length, next === null]).toEqual([50, false]);
  });

  const encoded = (position: string) => Buffer.from(position).toString('base64url');
  test.each([
    ['no limit at all', '?limit=0', 'limit'],
    ['too high a limit', '?limit=101', 'limit'],
    ['an empty limit', '?limit=', 'limit'],
    ['a made-up cursor', '?cursor=garbage!', 'cursor'],
    ['a cursor that names no product', `?cursor=${encoded('NO SUCH')}`, 'cursor'],
    ['an unknown parameter', '?active=true', 'active'],
  ])('refuses %s', async (_what, query, named) => {
    const answer = await manager.call('GET', `/product${query}`);
    expect(answer.summary).toBe('400 BAD_REQUEST');
    expect(answer.problem.detail).toContain(named);
  });
});
