import { z } from 'zod';
import { inventoryServiceDocument } from '../inventory/api-document.ts';
import { orderServiceDocument } from '../orders/api-document.ts';
import {
  type AnswerHeader,
  type DocumentedAnswer,
  type Operation,
  problemSchema,
  type RequestHeader,
} from '../platform/api-document.ts';
import { PROBLEMS, type ProblemCode } from '../platform/problems.ts';
import { problemExample } from './problem-examples.ts';
import { commonDocument } from './service-document.ts';

type Json = Record<string, unknown>;

/** OpenAPI 3.1, as far as this API uses it. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Json>>;
    readonly parameters: Readonly<Record<string, OpenApiParameter>>;
    readonly headers: Readonly<Record<string, OpenApiHeader>>;
    readonly examples: Readonly<Record<string, OpenApiExample>>;
    readonly securitySchemes: Readonly<Record<string, Json>>;
  };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly (OpenApiParameter | Reference)[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, OpenApiMedia>>;
  };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers: Readonly<Record<string, OpenApiHeader | Reference>>;
  readonly content: Readonly<Record<string, OpenApiMedia>>;
}

export interface OpenApiMedia {
  readonly schema: Json;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, OpenApiExample | Reference>>;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description: string;
  readonly schema: Json;
  readonly example?: string | number;
}

export interface OpenApiHeader {
  readonly description: string;
  /** Whether it is always there. */
  readonly required: boolean;
  readonly schema: Json;
  readonly example: unknown;
}

export interface OpenApiExample {
  readonly summary: string;
  readonly value: unknown;
}

interface Reference {
  readonly $ref: string;
}

const SERVICES = [orderServiceDocument, inventoryServiceDocument, commonDocument];

/** Every call of the API, by its route. */
export const OPERATIONS: Readonly<Record<string, Operation>> = Object.assign(
  {},
  ...SERVICES.map(({ operations }) => operations),
) as Record<string, Operation>;

const DESCRIPTION = `Orders and payments that never oversell, never charge twice and never lose an order.

JSON in, JSON out. Money is integer minor units plus an ISO 4217 currency; times are RFC 3339 UTC.
Whatever goes wrong is a problem (RFC 9457) with a stable \`code\`, and its \`detail\` says what to do next.
\`Retry-After\` says when, wherever waiting helps. A path or method that is not listed here is answered \`404\`.`;

/** The document of the whole API, made from the schemas that validate and the views that answer. */
export function openApiDocument(): OpenApiDocument {
  return {
    openapi: '3.1.1',
    info: { title: 'ordersaga', version: '0.1.0', description: DESCRIPTION },
    servers: [{ url: '.', description: 'Where this document was read.' }],
    tags: TAGS,
    paths: paths(),
    components: {
      schemas: schemas(),
      parameters: Object.fromEntries(
        Object.entries(REQUEST_HEADERS).map(([name, header]) => [
          name,
          { name, in: 'header', required: false, ...header },
        ]),
      ),
      headers: ANSWER_HEADERS,
      examples: Object.fromEntries(
        codes().map((code) => [code, { summary: PROBLEMS[code][1], value: problemExample(code) }]),
      ),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

/** Every code that this operation may be refused with. */
export function problemCodesOf(operation: Operation): ProblemCode[] {
  const {
    access,
    scope,
    isSigned,
    idempotent,
    body,
    query,
    headers = [],
    problems = [],
  } = operation;
  const always: ProblemCode[] = ['INTERNAL_ERROR'];
  if (access !== 'public') always.push('UNAUTHENTICATED', 'TEMPORARILY_UNAVAILABLE');
  if (isSigned === true) always.push('BAD_SIGNATURE');
  if (scope !== undefined) always.push('MISSING_SCOPE');
  if (body !== undefined) always.push('BAD_REQUEST', 'BODY_TOO_LARGE');
  if (query !== undefined || headers.includes('If-Match')) always.push('BAD_REQUEST');
  if (idempotent === true)
    always.push('BAD_REQUEST', 'IDEMPOTENCY_CONFLICT', 'REQUEST_IN_PROGRESS');
  const all = new Set([...always, ...problems]);
  return codes().filter((code) => all.has(code));
}

function codes(): ProblemCode[] {
  return Object.keys(PROBLEMS) as ProblemCode[];
}

const TAGS: OpenApiDocument['tags'] = [
  { name: 'Orders', description: 'Place, follow, change, cancel and retry your own orders.' },
  { name: 'Payments', description: 'Pay your own orders, and what the payment gateway reports.' },
  { name: 'Products', description: 'What is for sale, and what its managers change.' },
  { name: 'Reservations', description: 'Between the Order Service and the Inventory Service.' },
  { name: 'Service', description: 'Liveness and this document; no token needed.' },
];

const REQUEST_HEADERS: Readonly<
  Record<
    RequestHeader | 'Idempotency-Key' | 'X-Correlation-Id',
    Pick<OpenApiParameter, 'description' | 'schema' | 'example'>
  >
> = {
  'Idempotency-Key': {
    description:
      'The same key and request replays the first answer for 24 hours and does nothing twice. ' +
      'Answers that are only true for the moment (409, 5xx) are not replayed.',
    schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
    example: '7d1f0c3e-checkout-1',
  },
  Prefer: {
    description: '`wait=N`: wait up to N seconds (at most 10) until it is decided (RFC 7240).',
    schema: { type: 'string' },
    example: 'wait=10',
  },
  'If-Match': {
    description: 'The `ETag` you have read: only if it has not changed since.',
    schema: { type: 'string', pattern: '^\\s*("\\d{1,15}"|\\*)\\s*$' },
    example: '"3"',
  },
  'X-Allow-Duplicate': {
    description: '`true`: the same order once more, on purpose.',
    schema: { type: 'string', enum: ['true', 'false'] },
    example: 'true',
  },
  'X-Correlation-Id': {
    description: 'Kept in logs and answers; a new one where it is absent or has other characters.',
    schema: { type: 'string', pattern: '^[\\w.:-]{1,128}$' },
    example: 'checkout-4711',
  },
};

const ANSWER_HEADERS: Readonly<
  Record<
    AnswerHeader | 'Idempotent-Replayed' | 'X-Correlation-Id' | 'WWW-Authenticate',
    OpenApiHeader
  >
> = {
  ETag: {
    description: 'The version of what is answered, for `If-Match`.',
    required: true,
    schema: { type: 'string', pattern: '^"\\d+"$' },
    example: '"3"',
  },
  Location: {
    description: 'Where to look at it from now on.',
    required: true,
    schema: { type: 'string', format: 'uri-reference' },
    example: '/order/ord_5f0c2d9ab8f34e61a7d2c49e01',
  },
  'Content-Security-Policy': {
    description: 'The page may load nothing.',
    required: true,
    schema: { type: 'string' },
    example: "default-src 'none'",
  },
  'Retry-After': {
    description: 'Seconds after which trying again may help.',
    required: false,
    schema: { type: 'string', pattern: '^\\d+$' },
    example: '1',
  },
  'Idempotent-Replayed': {
    description: '`true` on an answer that was given before to the same `Idempotency-Key`.',
    required: false,
    schema: { type: 'string', const: 'true' },
    example: 'true',
  },
  'X-Correlation-Id': {
    description: 'Yours, or a new one; name it when you report something.',
    required: true,
    schema: { type: 'string', pattern: '^[\\w.:-]{1,128}$' },
    example: 'checkout-4711',
  },
  'WWW-Authenticate': {
    description: 'How to prove who you are.',
    required: true,
    schema: { type: 'string', enum: ['Bearer', 'Signature'] },
    example: 'Bearer',
  },
};

const SECURITY_SCHEMES: Readonly<Record<string, Json>> = {
  user: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'An access token of the configured OIDC issuer; `sub` is the user, `scope` may hold ' +
      '`products:write`. Locally: `npm run -s token -- alice`.',
  },
  service: {
    type: 'http',
    scheme: 'bearer',
    description: "The Order Service's own credential.",
  },
  signature: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Gateway-Signature',
    description:
      '`t=<unix seconds>,v1=<hex>`: v1 is the HMAC-SHA256 of `<t>.<body>` with a shared secret; t is ' +
      'at most 5 minutes off.',
  },
};

/** Answers that a repeated key may be given again: not those that depend on the moment or the caller. */
function isReplayable(status: number): boolean {
  return status < 500 && ![400, 401, 403, 409].includes(status);
}

function paths(): OpenApiDocument['paths'] {
  const found: Record<string, Record<string, OpenApiOperation>> = {};
  for (const [route, operation] of Object.entries(OPERATIONS)) {
    const [method = '', path = ''] = route.split(' ');
    (found[path] ??= {})[method.toLowerCase()] = operationObject(operation);
  }
  return found;
}

function operationObject(operation: Operation): OpenApiOperation {
  const { id, tag, summary, description, body, answers } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: securityOf(operation),
    parameters: parametersOf(operation),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: reference(body.schema), example: body.example },
            },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, success(operation, answer)]),
      ),
      ...problems(operation),
    },
  };
}

function securityOf({ access, scope, isSigned }: Operation): OpenApiOperation['security'] {
  switch (access) {
    case 'public':
      return isSigned === true ? [{ signature: [] }] : [];
    case 'service':
      return [{ service: [] }];
    case 'user':
      return [{ user: scope === undefined ? [] : [scope] }];
    case 'user-or-service':
      return [{ user: [] }, { service: [] }];
  }
}

function parametersOf(operation: Operation): OpenApiOperation['parameters'] {
  const { path = {}, query, idempotent, headers = [] } = operation;
  const names = [
    ...(idempotent === true ? ['Idempotency-Key'] : []),
    ...headers,
    'X-Correlation-Id',
  ];
  return [
    ...Object.entries(path).map(([name, { description, example }]) => ({
      name,
      in: 'path' as const,
      required: true,
      description,
      schema: { type: 'string' },
      example,
    })),
    ...(query === undefined ? [] : queryParameters(query.schema, query.example as QueryExample)),
    ...names.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
}

type QueryExample = Readonly<Record<string, string | number>>;

function queryParameters(schema: z.ZodType, example: QueryExample): OpenApiParameter[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => {
    const { description = '', ...rest } = property as Json & { readonly description?: string };
    return {
      name,
      in: 'query',
      required: required.includes(name),
      description,
      schema: rest,
      ...(example[name] === undefined ? {} : { example: example[name] }),
    };
  });
}

function success(operation: Operation, answer: DocumentedAnswer): OpenApiResponse {
  const { description, schema, example, headers, contentType } = answer;
  return {
    description,
    headers: headerReferences([
      ...headers,
      ...(operation.idempotent === true ? (['Idempotent-Replayed'] as const) : []),
    ]),
    content: { [contentType]: { schema: reference(schema), example } },
  };
}

/** One response a status, with the codes that it may carry. */
function problems(operation: Operation): Record<string, OpenApiResponse> {
  const byStatus = Map.groupBy(problemCodesOf(operation), (code) => PROBLEMS[code][0]);
  return Object.fromEntries(
    [...byStatus].map(([status, codesOfStatus]) => [
      String(status),
      {
        description: codesOfStatus.map((code) => PROBLEMS[code][1]).join('; '),
        headers: problemHeaders(operation, status),
        content: {
          'application/problem+json': {
            schema: {
              allOf: [{ $ref: '#/components/schemas/Problem' }],
              properties: { status: { const: status }, code: { enum: codesOfStatus } },
            },
            examples: Object.fromEntries(
              codesOfStatus.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
            ),
          },
        },
      },
    ]),
  );
}

function problemHeaders(operation: Operation, status: number): OpenApiResponse['headers'] {
  const replayable = operation.idempotent === true && isReplayable(status);
  return {
    ...headerReferences([
      ...(status === 401 ? (['WWW-Authenticate'] as const) : []),
      ...(status === 409 ? (['Retry-After'] as const) : []),
      ...(replayable ? (['Idempotent-Replayed'] as const) : []),
    ]),
    // An outage always says when to come back.
    ...(status === 503
      ? { 'Retry-After': { ...ANSWER_HEADERS['Retry-After'], required: true } }
      : {}),
  };
}

function headerReferences(
  names: readonly (keyof typeof ANSWER_HEADERS)[],
): OpenApiResponse['headers'] {
  const all = ['X-Correlation-Id', ...names];
  return Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

type Registry = z.core.$ZodRegistry<{ id: string }>;

function registryOf(schemasByName: Readonly<Record<string, z.ZodType>>): Registry {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemasByName)) registry.add(schema, { id });
  return registry;
}

const requests: Readonly<Record<string, z.ZodType>> = Object.assign(
  {},
  ...SERVICES.map((service) => service.requests),
) as Record<string, z.ZodType>;
const responses: Readonly<Record<string, z.ZodType>> = Object.assign(
  { Problem: problemSchema },
  ...SERVICES.map((service) => service.responses),
) as Record<string, z.ZodType>;
const named = registryOf({ ...requests, ...responses });

/** @throws where a service uses a body that it has given no name. */
function reference(schema: z.ZodType): Json {
  const id = named.get(schema)?.id;
  if (id === undefined) throw new Error('A schema of the API has no name in its document.');
  return { $ref: `#/components/schemas/${id}` };
}

function schemas(): Record<string, Json> {
  const written = {
    ...jsonSchemas(named, 'input', Object.keys(requests)),
    ...jsonSchemas(named, 'output', Object.keys(responses)),
  };
  return Object.fromEntries(Object.entries(written).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of requests what may be sent, of answers what will be there. */
function jsonSchemas(
  registry: Registry,
  io: 'input' | 'output',
  names: readonly string[],
): Record<string, Json> {
  const all = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // The format says the same as zod's pattern of leap years.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      // Implied where nothing else is said, and a distraction to readers.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  }).schemas;
  return Object.fromEntries(
    names.map((name) => {
      const { $schema: _schema, $id: _id, ...schema } = all[name] as Json;
      return [name, schema];
    }),
  );
}
