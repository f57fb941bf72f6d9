import type { APIGatewayProxyResult, Context } from 'aws-lambda';
import { beforeAll, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../api-document/endpoints.ts';
import { handler as reservations } from '../../functions/inventory/reservations.ts';
import { inventoryExamples } from '../../lib/inventory/http/inventory-examples.ts';
import { orderExamples } from '../../lib/orders/http/order-examples.ts';
import type { Endpoint } from '../../lib/platform/http/endpoint.ts';
import { createRuntime, installRuntime } from '../../lib/platform/lambda/runtime.ts';
import { REQUIRED } from '../unit/lib/platform/environment.ts';
import { deployedFunctions, deployedRoutes, load } from './deployment.ts';

type Handler = (event: unknown, context: Context) => Promise<APIGatewayProxyResult>;

/** Routes of the public API, and of the function URL behind INVENTORY_URL. */
const ROUTES: readonly (readonly [route: string, id: string, endpoint: Endpoint])[] = [
  ...[...ENDPOINTS].map(([id, endpoint]) => [endpoint.route, id, endpoint] as const),
  ...reservations.endpoints.map((endpoint) => [endpoint.route, 'reservations', endpoint] as const),
];

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | null;
  readonly queryStringParameters?: Readonly<Record<string, string>>;
}

/** Accepts any token; its text is the scope. */
function installTrustingRuntime(): void {
  const verifyToken = (scope: string) => Promise.resolve({ sub: 'alice', scope });
  installRuntime({ ...createRuntime(REQUIRED), verifyToken });
}

beforeAll(installTrustingRuntime);

test('infrastructure/functions.yml sends every route to the function that declares it', () => {
  const declared = [...ENDPOINTS].map(([id, { route }]) => [route, id] as const);
  expect(deployedRoutes()).toEqual(new Map(declared));
});

test('the function URL has the routes of the Order Service', () => {
  expect(reservations.endpoints.map(({ route }) => route)).toEqual([
    'PUT /inventory/reservation/{orderId}',
    'GET /inventory/reservation/{orderId}',
    'DELETE /inventory/reservation/{orderId}',
    'POST /inventory/reservation/{orderId}/extend',
    'POST /inventory/reservation/{orderId}/confirm',
    'GET /inventory/product/{productId}',
  ]);
  for (const { access } of reservations.endpoints) expect(access.callers).toBe('service');
});

const IDS: Readonly<Record<string, { readonly example: string }>> = {
  ...orderExamples.pathParameters,
  ...inventoryExamples.pathParameters,
};

function idOf(name: string): string {
  return IDS[name]?.example ?? '';
}

describe.each(ROUTES)('%s', (route, id, endpoint) => {
  const { access, signature, body, query, idempotency } = endpoint;
  const { callers, scope } = access;

  async function call(sent: Sent) {
    const { handler } = (await load(deployedFunctions().get(id) ?? '')) as { handler: Handler };
    const [method = '', path = ''] = route.split(' ');
    const names = [...route.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, idOf(name)]);
    const answer = await handler(
      {
        resource: path,
        path,
        pathParameters: Object.fromEntries(names) as Record<string, string>,
        // As a function URL sends them.
        rawPath: path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => idOf(name)),
        requestContext: { http: { method } },
        headers: {},
        queryStringParameters: null,
        body: body === undefined ? null : JSON.stringify(body.example),
        isBase64Encoded: false,
        ...sent,
      },
      {} as Context,
    );
    const { code, errors } = JSON.parse(answer.body) as { code: string; errors?: unknown };
    return { summary: `${String(answer.statusCode)} ${code}`, errors };
  }

  /** Headers of a caller with permission. */
  function permitted(): Record<string, string> {
    if (callers === 'service') return { 'x-service-credential': REQUIRED.INVENTORY_CREDENTIAL };
    return { authorization: `Bearer ${scope ?? 'openid'}` };
  }

  if (callers !== 'service') {
    test('is the declaration that its Lambda was made from', async () => {
      const { handler } = (await load(deployedFunctions().get(id) ?? '')) as {
        handler: { endpoint: object };
      };
      expect(handler.endpoint).toMatchObject({ route, access });
      expect(Object.keys(handler.endpoint).sort()).toEqual(Object.keys(endpoint).sort());
    });
  }

  if (callers !== 'public') {
    test('refuses a caller without a credential', async () => {
      expect((await call({})).summary).toBe('401 UNAUTHENTICATED');
    });
  }

  if (callers === 'service') {
    test('refuses another credential', async () => {
      const headers = { 'x-service-credential': 'another-0123456789' };
      expect((await call({ headers })).summary).toBe('401 UNAUTHENTICATED');
    });
  }

  if (signature !== undefined) {
    test('refuses a body without its signature', async () => {
      expect((await call({})).summary).toBe('401 BAD_SIGNATURE');
    });
  }

  if (scope !== undefined) {
    test('refuses a user without the scope', async () => {
      const headers = { authorization: 'Bearer openid' };
      expect((await call({ headers })).summary).toBe('403 MISSING_SCOPE');
    });
  }

  if (body !== undefined && signature === undefined) {
    test('refuses a body with an unknown field, or none', async () => {
      const unknownField = JSON.stringify({ ...(body.example as object), surprise: 1 });
      expect(await call({ headers: permitted(), body: unknownField })).toMatchObject({
        summary: '400 BAD_REQUEST',
        errors: [{ message: expect.stringContaining('surprise') }],
      });
      expect((await call({ headers: permitted(), body: null })).summary).toBe('400 BAD_REQUEST');
    });
  }

  if (query !== undefined) {
    test('refuses an unknown query parameter', async () => {
      const example = query.example as Record<string, string>;
      const queryStringParameters = { ...example, surprise: '1' };
      expect(await call({ headers: permitted(), queryStringParameters })).toMatchObject({
        summary: '400 BAD_REQUEST',
        errors: [{ message: expect.stringContaining('surprise') }],
      });
    });
  }

  if (idempotency !== undefined) {
    test('refuses a bad idempotency key', async () => {
      const headers = { ...permitted(), 'idempotency-key': 'two words' };
      expect((await call({ headers })).summary).toBe('400 BAD_REQUEST');
    });
  }
});
