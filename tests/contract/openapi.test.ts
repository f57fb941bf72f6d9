import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../api-document/endpoints.ts';
import { withGatewayAnswers } from '../../api-document/gateway-answers.ts';
import { openApiDocument } from '../../api-document/open-api.ts';
import { renderPage } from '../../api-document/page.ts';
import { problemCodesOf } from '../../api-document/problem-codes.ts';
import { PROBLEM_TYPES, problemSchema } from '../../api-document/problem-types.ts';
import { SERVICES } from '../../api-document/service-examples.ts';
import manifest from '../../package.json' with { type: 'json' };
import { isRoute, linksIn } from '../support/documented.ts';
import { deployedRoutes } from './deployment.ts';

const document = openApiDocument();
const endpoints = [...ENDPOINTS.values()];

/** By hand, from section 3 of the specification. */
const FIRST_ANSWERS: Readonly<Record<string, readonly number[]>> = {
  'POST /order': [201, 202, 422, 503],
  'GET /order': [200],
  'GET /order/{orderId}': [200, 304, 404],
  'PUT /order/{orderId}': [200, 202, 404, 409, 412, 422, 503],
  'POST /order/cancelorder/{orderId}': [200, 404, 409],
  'POST /order/retryorder/{orderId}': [201, 202, 404, 409, 422, 503],
  'POST /payment': [200, 202, 402, 404, 409],
  'POST /retrypayment': [200, 202, 402, 404, 409],
  'GET /payment/{paymentId}': [200, 404],
  'POST /payment/webhook': [202, 401],
  'GET /product': [200],
  'GET /product/{productId}': [200, 304, 404],
  'POST /product': [201, 409],
  'PUT /product/{productId}': [200, 404, 412],
  'POST /product/{productId}/stock': [200, 404],
  'GET /health': [200],
  'GET /openapi.json': [200],
  'GET /docs': [200],
};

interface Documented {
  readonly security: readonly Record<string, readonly string[]>[];
  readonly parameters: readonly { readonly $ref?: string; readonly name?: string }[];
  readonly responses: Record<string, { readonly headers: Record<string, unknown> }>;
}

function documented(route: string): Documented {
  const [method = '', path = ''] = route.split(' ');
  const operation = document.paths[path]?.[method.toLowerCase()] as unknown as Documented;
  const { responses: shared } = document.components;
  const responses = Object.entries(operation.responses).map(([status, response]) => {
    const { $ref } = response as { readonly $ref?: string };
    return [status, $ref === undefined ? response : shared[$ref.split('/').at(-1) ?? '']];
  });
  return { ...operation, responses: Object.fromEntries(responses) as Documented['responses'] };
}

function headersOf(route: string): string[] {
  return documented(route).parameters.flatMap(({ $ref }) => $ref?.split('/').at(-1) ?? []);
}

describe('the document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const verdict = await validator.validate({ ...document });
    expect(verdict.errors).toBeUndefined();
    expect(verdict.valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  test('has the version of the package', () => {
    expect(document.info.version).toBe(manifest.version);
  });

  test('describes the deployed routes and no others', () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual([...deployedRoutes().keys()].sort());
    expect(Object.keys(FIRST_ANSWERS).sort()).toEqual(described);
  });

  test('lists every code that a problem can have', () => {
    const listed = new Set(endpoints.flatMap(problemCodesOf));
    expect([...listed].sort()).toEqual([...PROBLEM_TYPES.keys()].sort());
  });

  test('refers to nothing that is not there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(100);
    for (const [, reference = ''] of references) {
      const target = reference
        .split('/')
        .reduce<unknown>(
          (at, name) => (at as Record<string, unknown> | undefined)?.[name],
          document,
        );
      expect(target, reference).toBeDefined();
    }
  });

  test('loads nothing from elsewhere and names no secret', () => {
    expect(JSON.stringify(document)).not.toMatch(/whsec_|eyJ/);
  });
});

describe('a body', () => {
  type Node = Readonly<Record<string, unknown>>;
  const objectsIn = (value: unknown): Node[] => {
    if (typeof value !== 'object' || value === null) return [];
    const inside = Object.values(value).flatMap(objectsIn);
    return 'properties' in value ? [value, ...inside] : inside;
  };
  const { schemas } = document.components;
  const namesIn = (part: unknown) =>
    [...JSON.stringify(part).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
      ([, name = '']) => name,
    );

  test('that is answered may get further members later', () => {
    const answered = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).flatMap(({ responses }) => namesIn(responses)),
    );
    expect(answered.length).toBeGreaterThan(100);
    for (const name of new Set(answered)) {
      for (const schema of objectsIn(schemas[name])) {
        expect(schema['additionalProperties'], name).not.toBe(false);
      }
    }
  });

  test('that is sent takes no other members', () => {
    const sent = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).flatMap(({ operationId, requestBody }) =>
        // The body is an event of the payment gateway, which defines its own shape.
        requestBody === undefined || operationId === 'receiveAcknowledgement'
          ? []
          : namesIn(requestBody),
      ),
    );
    expect(sent.length).toBeGreaterThan(5);
    for (const name of new Set(sent)) {
      for (const schema of objectsIn(schemas[name])) {
        expect(schema['additionalProperties'], name).toBe(false);
      }
    }
  });
});

describe('the document and the API agree on', () => {
  const ajv = new Ajv2020({ strict: false, schemas: [{ $id: 'api', ...document }] });
  addFormats.default(ajv);
  const isDocumented = (pointer: string, value: unknown) =>
    ajv.validate({ $ref: `api#${pointer}` }, value);
  const endpointOf = (route: string) => endpoints.find((endpoint) => endpoint.route === route);

  const order = (quantity: number) => ({ items: [{ productId: 'prod-mug', quantity }] });
  test.each<[string, unknown, boolean]>([
    ['POST /order', order(Number.MAX_SAFE_INTEGER), true],
    ['POST /order', order(Number.MAX_SAFE_INTEGER + 1), false],
    ['POST /order', order(Number.MIN_SAFE_INTEGER - 1), false],
    ['PUT /product/{productId}', { active: false }, true],
    ['PUT /product/{productId}', {}, false],
  ])('the body of %s: %j is well-formed: %s', (route, body, isWellFormed) => {
    const [method = '', path = ''] = route.split(' ');
    const operation = document.paths[path]?.[method.toLowerCase()];
    const schema = operation?.requestBody?.content['application/json']?.schema;
    const pointer = (schema?.['$ref'] as string).slice(1);
    expect(isDocumented(pointer, body)).toBe(isWellFormed);
    expect(endpointOf(route)?.body?.schema.safeParse(body).success).toBe(isWellFormed);
  });

  test.each([
    ['GET /order', 50, true],
    ['GET /order', 51, false],
    ['GET /order', 0, false],
    ['GET /product', 100, true],
    ['GET /product', 101, false],
  ])('the query of %s: limit=%d is well-formed: %s', (route, limit, isWellFormed) => {
    const path = (route.split(' ')[1] ?? '').replace('/', '~1');
    expect(isDocumented(`/paths/${path}/get/parameters/0/schema`, limit)).toBe(isWellFormed);
    const parsed = endpointOf(route)?.query?.schema.safeParse({ limit: String(limit) });
    expect(parsed?.success).toBe(isWellFormed);
  });

  test('every correlation id: none is refused', () => {
    expect(isDocumented('/components/parameters/X-Correlation-Id/schema', 'a b')).toBe(true);
  });
});

test('the page gives no limit that every integer has', () => {
  expect(renderPage(document)).not.toContain(String(Number.MAX_SAFE_INTEGER));
});

test.each(SERVICES.flatMap(({ answers }) => Object.entries(answers)))(
  'the example %s is one that its schema accepts, and its links lead to routes of the API',
  (_name, { schema, value }) => {
    expect(schema.safeParse(value).error).toBeUndefined();
    for (const link of linksIn(value)) expect(isRoute(link), link).toBe(true);
  },
);

describe.each(endpoints)('$route', (endpoint) => {
  const { route, access, signature, idempotency, body, query } = endpoint;
  const { callers, scope } = access;

  test('has examples of requests that its schemas accept', () => {
    for (const content of [body, query]) {
      expect(content?.schema.safeParse(content.example).error).toBeUndefined();
    }
  });

  test('answers what the specification says', () => {
    const statuses = Object.keys(documented(route).responses).map(Number);
    expect(statuses).toEqual(expect.arrayContaining([...(FIRST_ANSWERS[route] ?? [])]));
    const successes = statuses.filter((status) => status < 300);
    expect(successes).toEqual((FIRST_ANSWERS[route] ?? []).filter((status) => status < 300));
  });

  test('is refused as its access says', () => {
    const { responses, security } = documented(route);
    const statuses = Object.keys(responses);
    expect(statuses).toContain('500');
    expect(statuses.includes('401')).toBe(callers !== 'public' || signature !== undefined);
    expect(statuses.includes('403')).toBe(scope !== undefined);
    expect(security.length === 0).toBe(callers === 'public' && signature === undefined);
    if (scope !== undefined) expect(security).toEqual([{ user: [scope] }]);
    if (callers !== 'public') expect(statuses).toContain('503');
    if (callers === 'user' && route.includes('{')) expect(statuses).toContain('404');
    const isRead = (body !== undefined && body.isLenient !== true) || query !== undefined;
    if (isRead) expect(statuses).toContain('400');
  });

  test('may be answered by API Gateway itself', () => {
    const { responses } = documented(route);
    expect(Object.keys(responses)).toEqual(
      expect.arrayContaining(['413', '429', '502', '503', '504']),
    );
    for (const status of ['429', '504']) {
      expect(responses[status]?.headers['Retry-After']).toMatchObject({ required: true });
    }
  });

  test('names its headers', () => {
    const { responses } = documented(route);
    expect(headersOf(route)).toContain('X-Correlation-Id');
    expect(headersOf(route).includes('Idempotency-Key')).toBe(idempotency !== undefined);
    for (const [status, { headers }] of Object.entries(responses)) {
      expect(headers).toHaveProperty('X-Correlation-Id');
      if (status === '401') expect(headers).toHaveProperty('WWW-Authenticate');
      if (['409', '503'].includes(status)) expect(headers).toHaveProperty('Retry-After');
      if (idempotency !== undefined && Number(status) < 300) {
        expect(headers).toHaveProperty('Idempotent-Replayed');
      }
    }
  });
});

describe('a status that both a function and API Gateway answer', () => {
  const response = (code: string) => ({
    description: 'Too many unpaid orders',
    headers: { 'X-Correlation-Id': { $ref: '#/components/headers/X-Correlation-Id' } },
    content: {
      'application/problem+json': {
        schema: { properties: { code: { enum: [code] } } },
        examples: { [code]: { $ref: `#/components/examples/${code}` } },
      },
    },
  });
  const merged = withGatewayAnswers({ 429: response('TOO_MANY_OPEN_ORDERS') });

  test('keeps the answer of the function beside that of API Gateway', () => {
    const both = merged['429'] as ReturnType<typeof response>;
    expect(both.description).toBe(
      'Too many unpaid orders; Too many requests at once (`TOO_MANY_REQUESTS`, by API Gateway)',
    );
    expect(JSON.stringify(both.content)).toContain('TOO_MANY_OPEN_ORDERS');
    expect(both.content['application/problem+json']).toMatchObject({
      schema: {
        anyOf: [
          { properties: { code: { enum: ['TOO_MANY_OPEN_ORDERS'] } } },
          { properties: { code: { const: 'TOO_MANY_REQUESTS' } } },
        ],
      },
      examples: {
        TOO_MANY_OPEN_ORDERS: { $ref: '#/components/examples/TOO_MANY_OPEN_ORDERS' },
        TOO_MANY_REQUESTS: { value: { code: 'TOO_MANY_REQUESTS', status: 429 } },
      },
    });
  });

  test('promises only the headers that both have', () => {
    expect((merged['429'] as ReturnType<typeof response>).headers).toMatchObject({
      'X-Correlation-Id': { $ref: '#/components/headers/X-Correlation-Id' },
      'Retry-After': { required: false },
    });
  });

  test('is that of API Gateway alone if the function does not answer it', () => {
    expect(merged['504']).toEqual({ $ref: '#/components/responses/Gateway504' });
  });
});

/** By hand, from docs/adr/0005-answers-that-are-replayed.md. */
test.each([
  ['POST /order', 201, true],
  ['POST /order', 422, true],
  ['POST /order', 400, false],
  ['POST /order', 401, false],
  ['POST /order', 409, false],
  ['POST /order', 503, false],
  ['POST /payment', 402, true],
  ['POST /payment', 404, false],
  ['PUT /order/{orderId}', 412, false],
  // Nothing is stored of a change that is refused at once.
  ['PUT /order/{orderId}', 422, false],
  // Only the key itself is refused with 422, and that refusal is never stored.
  ['POST /order/cancelorder/{orderId}', 422, false],
  ['GET /order/{orderId}', 404, false],
])('%s says of %s if a repeated key may replay it: %s', (route, status, isReplayed) => {
  const headers = Object.keys(documented(route).responses[String(status)]?.headers ?? {});
  expect(headers.includes('Idempotent-Replayed')).toBe(isReplayed);
});

test.each(Object.entries(document.components.examples))(
  'the example of %s is such a problem and says what to do',
  (code, { value }) => {
    const problem = problemSchema.parse(value);
    expect(problem).toMatchObject({ code, status: PROBLEM_TYPES.get(code)?.status });
    expect(problem.detail.length).toBeGreaterThan(20);
  },
);
