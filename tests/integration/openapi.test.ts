import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../api-document/endpoints.ts';
import { openApiDocument } from '../../api-document/open-api.ts';
import { signatureOf } from '../../lib/payments/signatures.ts';
import { type Answer, Customer, call, changeProduct, newProduct } from '../support/shop.ts';
import { startTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

const root = join(import.meta.dirname, '../..');

let stack: TestStack;
let user: Customer;
let manager: Customer;

beforeAll(async () => {
  // One user has all orders.
  stack = await startTestStack({ SCHEDULE_SECONDS: '3600', MAX_OPEN_ORDERS_PER_USER: '40' });
  user = await Customer.of(stack);
  manager = await Customer.of(stack, 'products:write');
});

afterAll(async () => {
  await stack.stop();
});

/** Real ids, by the example id that each replaces. */
type Ids = Readonly<Record<string, string>>;

const newOrderId = () => `ord_${randomUUID().replaceAll('-', '').slice(0, 26)}`;

async function reserved(): Promise<Ids> {
  return { orderId: (await user.reserved(await newProduct(10))).orderId };
}

async function paid(token: string): Promise<Ids> {
  const { orderId = '' } = await reserved();
  const { paymentId = '' } = (await user.pay(orderId, token, { wait: 10 })).json as Ids;
  return { orderId, paymentId };
}

/** An order that failed while its product was withdrawn; the product is back, so a retry succeeds. */
async function failed(): Promise<Ids> {
  const productId = await newProduct(10, { active: false });
  const answer = await user.place([{ productId, quantity: 1 }], { wait: 10 });
  expect(answer.summary).toBe('409 PRODUCT_UNAVAILABLE');
  await changeProduct(stack, productId, { active: true });
  return { orderId: answer.problem.orderId ?? '' };
}

/** The state that the example of each call needs to succeed. */
const GIVEN: Readonly<Record<string, () => Promise<Ids>>> = {
  'GET /order/{orderId}': reserved,
  'PUT /order/{orderId}': reserved,
  'POST /order/cancelorder/{orderId}': reserved,
  'POST /order/retryorder/{orderId}': failed,
  'POST /payment': reserved,
  'POST /retrypayment': () => paid('tok_declined'),
  'GET /payment/{paymentId}': () => paid('tok_ok'),
  'POST /payment/webhook': () => paid('tok_ok'),
  'POST /product': () => Promise.resolve({ productId: `prod-${randomUUID()}` }),
};

interface Example {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** The documented request of a route, with real ids. */
function exampleOf(route: string, ids: Ids): Example {
  const [method = '', template = ''] = route.split(' ');
  const { query, body } = endpointOf(route);
  const { parameters = [] } = openApiDocument().paths[template]?.[method.toLowerCase()] ?? {};
  const filled = parameters.reduce(
    (url, parameter) =>
      'name' in parameter
        ? url.replace(`{${parameter.name}}`, ids[parameter.name] ?? String(parameter.example))
        : url,
    template,
  );
  const search = new URLSearchParams(query?.example as Record<string, string> | undefined);
  const example = body?.example as Record<string, unknown> | undefined;
  return {
    method,
    path: search.size === 0 ? filled : `${filled}?${search.toString()}`,
    body:
      example === undefined
        ? undefined
        : {
            ...example,
            ...Object.fromEntries(Object.entries(ids).filter(([id]) => id in example)),
          },
  };
}

function endpointOf(route: string) {
  const found = [...ENDPOINTS.values()].find((endpoint) => endpoint.route === route);
  if (found === undefined) throw new Error(`${route} is not declared.`);
  return found;
}

/** Headers of a caller with permission. */
function credential(route: string): Record<string, string> {
  const { callers, scope } = endpointOf(route).access;
  if (callers === 'public') return {};
  return { authorization: `Bearer ${(scope === undefined ? user : manager).token}` };
}

/** `call` checks every response against the document. */
function send(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const secrets = stack.environment['WEBHOOK_SECRETS']?.split(',') ?? [];
  const signature = signatureOf(text ?? '', secrets, stack.clock.now());
  const signed = path === '/payment/webhook' ? { 'x-gateway-signature': signature } : {};
  return call(stack, method, path, { ...signed, ...headers }, text);
}

describe.each([...ENDPOINTS.values()])('$route', (endpoint) => {
  const { route, access, signature, idempotency, headers = [], body } = endpoint;
  const { callers, scope } = access;
  const hasParameters = route.includes('{');
  const given = (): Promise<Ids> => GIVEN[route]?.() ?? Promise.resolve({});

  test('does what its example says', async () => {
    const example = exampleOf(route, await given());
    const correlation = { 'x-correlation-id': 'checkout-4711', 'x-allow-duplicate': 'true' };
    const sent = { ...credential(route), ...correlation };
    const answer = await send(example.method, example.path, sent, example.body);
    expect(answer.status, answer.text).toBeLessThan(300);
    expect(answer.headers.get('x-correlation-id')).toBe('checkout-4711');
  });

  if (headers.length > 0) {
    test('takes the headers of its example', async () => {
      const ids = await given();
      const example = exampleOf(route, ids);
      const current = hasParameters
        ? await send('GET', example.path, credential(route)).catch(() => undefined)
        : undefined;
      const sent = {
        ...credential(route),
        'idempotency-key': randomUUID(),
        ...(headers.includes('Prefer') ? { prefer: 'wait=10' } : {}),
        ...(headers.includes('If-Match')
          ? { 'if-match': current?.headers.get('etag') ?? '*' }
          : {}),
        ...(headers.includes('X-Allow-Duplicate') ? { 'x-allow-duplicate': 'true' } : {}),
      };
      const answer = await send(example.method, example.path, sent, example.body);
      const isPlaced = route === 'POST /order' || route === 'POST /order/retryorder/{orderId}';
      expect(answer.status, answer.text).toBe(isPlaced ? 201 : 200);
    });
  }

  if (idempotency !== undefined) {
    test('replays its answer, and refuses the key with another request', async () => {
      const example = exampleOf(route, await given());
      const sent = {
        ...credential(route),
        'idempotency-key': randomUUID(),
        'x-allow-duplicate': 'true',
      };
      const first = await send(example.method, example.path, sent, example.body);
      expect(first.headers.has('idempotent-replayed')).toBe(false);
      const second = await send(example.method, example.path, sent, example.body);
      expect(second.status, second.text).toBe(first.status);
      expect(second.headers.get('idempotent-replayed')).toBe('true');
      const other = await given();
      const another = exampleOf(route, other);
      const changed = changedBody(another.body);
      const refused = await send(another.method, another.path, sent, changed);
      expect(refused.summary, refused.text).toBe('422 IDEMPOTENCY_CONFLICT');
    });
  }

  if (callers !== 'public') {
    test('is 401 without a credential', async () => {
      const { method, path: url, body: sent } = exampleOf(route, {});
      expect((await send(method, url, {}, sent)).summary).toBe('401 UNAUTHENTICATED');
    });
  }

  if (signature !== undefined) {
    test('is 401 without a signature', async () => {
      const { method, path: url, body: sent } = exampleOf(route, {});
      const answer = await send(method, url, { 'x-gateway-signature': 't=1,v1=00' }, sent);
      expect(answer.summary).toBe('401 BAD_SIGNATURE');
    });
  }

  if (scope !== undefined) {
    test('is 403 without the scope', async () => {
      const { method, path: url, body: sent } = exampleOf(route, {});
      const authorization = `Bearer ${user.token}`;
      expect((await send(method, url, { authorization }, sent)).summary).toBe('403 MISSING_SCOPE');
    });
  }

  if (body !== undefined && body.isLenient !== true) {
    test('is 400 for a body that is none of it, or too large', async () => {
      const { method, path: url } = exampleOf(route, {});
      const sent = credential(route);
      expect((await send(method, url, sent, { surprise: 1.5 })).summary).toBe('400 BAD_REQUEST');
      const large = { surprise: 'x'.repeat(65 * 1024) };
      expect((await send(method, url, sent, large)).summary).toBe('400 BODY_TOO_LARGE');
    });
  }

  if (callers === 'user' && hasParameters) {
    test('is 404 for what is not there', async () => {
      const missing = { orderId: newOrderId(), paymentId: 'pay_0', productId: 'prod-none' };
      const example = exampleOf(route, missing);
      const answer = await send(example.method, example.path, credential(route), example.body);
      expect(answer.summary).toBe('404 NOT_FOUND');
    });
  }
});

/** A body of the same shape with other content. */
function changedBody(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  if ('items' in body) return { items: [{ productId: 'prod-mug', quantity: 3 }] };
  if ('quantity' in body) return { quantity: 11 };
  if ('unitPrice' in body) return { ...body, unitPrice: { amount: 901, currency: 'EUR' } };
  return body;
}

describe('the document', () => {
  test('is served as npm run openapi writes it', async () => {
    execFileSync(process.execPath, [join(root, 'local/write-openapi.ts')]);
    const written: unknown = JSON.parse(readFileSync(join(root, 'openapi.json'), 'utf8'));
    expect((await call(stack, 'GET', '/openapi.json')).json).toEqual(written);
  });
});

describe('the page', () => {
  test('names every call, and loads nothing', async () => {
    const page = await call(stack, 'GET', '/docs');
    for (const id of ENDPOINTS.keys()) expect(page.text).toContain(`id="${id}"`);
    const links = [...page.text.matchAll(/ (?:href|src|action)="([^"]*)"/g)];
    const targets = links.map(([, target = '']) => target);
    expect(targets.length).toBeGreaterThan(100);
    expect(targets.filter((target) => !/^(#|openapi\.json$|data:,$)/.test(target))).toEqual([]);
    expect(page.text).not.toMatch(/<script|@import|url\(|<iframe|<[^>]+ on\w+=/i);
    for (const target of new Set(targets.filter((link) => link.startsWith('#')))) {
      expect(page.text, target).toContain(`id="${target.slice(1)}"`);
    }
  });

  test('may show its own style only', async () => {
    const page = await call(stack, 'GET', '/docs');
    const policy = page.headers.get('content-security-policy') ?? '';
    const style = /<style>(.*)<\/style>/s.exec(page.text)?.[1] ?? '';
    const digest = createHash('sha256').update(style).digest('base64');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${digest}'`);
  });
});
