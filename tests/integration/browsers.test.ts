import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OF_THE_TRANSPORT } from '../support/packaged-api.ts';
import { Customer, newProduct } from '../support/shop.ts';
import { startTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

const SHOP = 'https://shop.example.com';
const FOREIGN = 'https://evil.example.com';

let stack: TestStack;
let user: Customer;

beforeAll(async () => {
  stack = await startTestStack({ ALLOWED_ORIGINS: `${SHOP},http://localhost:5173` });
  user = await Customer.of(stack);
});

afterAll(() => stack.stop());

interface Sent {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

function send(path: string, { method, headers = {}, body }: Sent): Promise<Response> {
  return fetch(stack.apiUrl + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** A page's call as browsers make it (Fetch standard): a preflight first, and only exposed headers. */
async function callFromPage(origin: string, path: string, sent: Sent) {
  const names = Object.keys(sent.headers ?? {}).map((name) => name.toLowerCase());
  const preflight = await send(path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': sent.method,
      'access-control-request-headers': names.sort().join(','),
    },
  });
  const list = (name: string) => (preflight.headers.get(name) ?? '').toLowerCase().split(/, */);
  const isAllowed =
    preflight.ok &&
    preflight.headers.get('access-control-allow-origin') === origin &&
    list('access-control-allow-methods').includes(sent.method.toLowerCase()) &&
    names.every((name) => list('access-control-allow-headers').includes(name));
  if (!isAllowed) return undefined;
  const answer = await send(path, { ...sent, headers: { ...sent.headers, origin } });
  if (answer.headers.get('access-control-allow-origin') !== origin) return undefined;
  const exposed = (answer.headers.get('access-control-expose-headers') ?? '').split(/, */);
  return {
    status: answer.status,
    body: (await answer.json()) as Readonly<Record<string, string>>,
    header: (name: string) => (exposed.includes(name) ? answer.headers.get(name) : null),
  };
}

async function order(): Promise<Sent> {
  return {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${user.token}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': `page-${String(performance.now())}`,
      Prefer: 'wait=10',
    },
    body: { items: [{ productId: await newProduct(5), quantity: 1 }] },
  };
}

function corsOf(headers: Headers): string[] {
  return [...headers.keys()].filter((name) => name.startsWith('access-control'));
}

describe('a page of an allowed origin', () => {
  test('places an order, reads where it is, and looks at it only if it has changed', async () => {
    const sent = await order();
    const placed = await callFromPage(SHOP, '/order', sent);
    expect(placed?.status).toBe(201);
    expect(placed?.header('Location')).toBe(`/order/${placed?.body['orderId'] ?? ''}`);
    expect(placed?.header('ETag')).toMatch(/^"\d+"$/);
    expect(placed?.header('X-Correlation-Id')).toMatch(/./);

    const again = await callFromPage(SHOP, '/order', sent);
    expect(again?.header('Idempotent-Replayed')).toBe('true');

    const known = await send(placed?.header('Location') ?? '', {
      method: 'GET',
      headers: {
        origin: SHOP,
        authorization: `Bearer ${user.token}`,
        'if-none-match': placed?.header('ETag') ?? '',
      },
    });
    expect([known.status, await known.text()]).toEqual([304, '']);
    expect(known.headers.get('access-control-allow-origin')).toBe(SHOP);
  });

  test('reads problems, those of API Gateway among them', async () => {
    const refused = await callFromPage(SHOP, '/order', { ...(await order()), body: { items: [] } });
    expect([refused?.status, refused?.body['code']]).toEqual([400, 'BAD_REQUEST']);
    const impossible = await send('/order/%ff', { method: 'GET', headers: { origin: SHOP } });
    expect(impossible.headers.get('access-control-allow-origin')).toBe('*');
    expect(impossible.headers.has('access-control-allow-credentials')).toBe(false);
  });

  test("is not asked to by the payment gateway's route", async () => {
    const preflight = await send('/payment/webhook', {
      method: 'OPTIONS',
      headers: { origin: SHOP, 'access-control-request-method': 'POST' },
    });
    expect(preflight.ok).toBe(false);
  });
});

describe('a page of another origin', () => {
  test('may not call', async () => {
    expect(await callFromPage(FOREIGN, '/order', await order())).toBeUndefined();
  });

  test('is told nothing, however it calls', async () => {
    const calls = [
      await send('/order', { method: 'OPTIONS', headers: { origin: FOREIGN } }),
      await send('/health', { method: 'GET', headers: { origin: FOREIGN } }),
      await send('/nothing', { method: 'GET', headers: { origin: FOREIGN } }),
    ];
    for (const { headers } of calls) {
      expect(corsOf(headers)).toEqual([]);
      expect(headers.get('vary')).toBe('Origin');
    }
  });
});

describe('every answer', () => {
  const headersOf = ({ headers }: Response) =>
    Object.fromEntries([...headers].filter(([name]) => !OF_THE_TRANSPORT.includes(name)));

  test('has these headers and no others', async () => {
    const own = { 'x-content-type-options': 'nosniff', 'x-correlation-id': 'c-1', vary: 'Origin' };
    const authorization = `Bearer ${user.token}`;
    const get = (path: string) =>
      send(path, {
        method: 'GET',
        headers: { authorization, 'x-correlation-id': 'c-1', 'accept-encoding': 'gzip' },
      });
    const { orderId } = await user.reserved(await newProduct(5));
    expect(headersOf(await get('/health'))).toEqual({
      ...own,
      'cache-control': 'no-store',
      'content-type': 'application/json',
    });
    expect(headersOf(await get('/order'))).toEqual({
      ...own,
      'cache-control': 'no-store',
      'content-type': 'application/json',
    });
    expect(headersOf(await get(`/order/${orderId}`))).toEqual({
      ...own,
      'cache-control': 'private, no-cache',
      'content-type': 'application/json',
      etag: expect.stringMatching(/^"\d+"$/),
    });
    expect(headersOf(await get('/openapi.json'))).toEqual({
      ...own,
      'cache-control': 'public, max-age=300',
      'content-type': 'application/json',
    });
    expect(headersOf(await get('/nothing'))).toEqual({
      ...own,
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
    });
  });

  test.each(['HEAD', 'PATCH', 'DELETE'])('of %s, which no path has, is 404', async (method) => {
    expect((await send('/order', { method })).status).toBe(404);
  });
});

test('a request that waits for a change of an order is answered as soon as there is one', async () => {
  const { orderId, version } = await user.reserved(await newProduct(5));
  const waiting = user.call('GET', `/order/${orderId}`, undefined, {
    wait: 10,
    headers: { 'if-none-match': `"${String(version)}"` },
  });
  await user.cancel(orderId);
  expect((await waiting).order.status).toBe('ORDER_CANCELLED');
});

test.each([
  'false',
  'true',
  '0',
  'null',
  '',
  '""',
  '[]',
  '\uFEFF{}',
  '1e999',
  '['.repeat(50_000),
  `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
])('the body %.10j is a problem that names what is wrong', async (body) => {
  const refused = await user.call('POST', '/order', body);
  expect(refused.summary).toBe('400 BAD_REQUEST');
  expect(refused.problem.detail).toMatch(/^(The body must be JSON|Correct the body: )/);
});
