import * as z from 'zod';
import type { DocumentedAnswer, Operation } from '../platform/http/operation-document.ts';
import { GATEWAY_RESPONSE_REFERENCES, gatewayResponses } from './gateway-answers.ts';
import { reference, schemas } from './named-schemas.ts';
import type {
  Json,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiParameter,
  OpenApiResponse,
} from './open-api-format.ts';
import { OPERATIONS, problemCodesOf } from './operations.ts';
import { problemExample } from './problem-examples.ts';
import { PROBLEM_TYPES, problemTypeOf } from './problem-types.ts';
import { ANSWER_HEADERS, REQUEST_HEADERS, SECURITY_SCHEMES, TAGS } from './shared-parts.ts';

const DESCRIPTION = `Orders and payments that never oversell, never charge twice and never lose an order.

JSON in, JSON out. Money is integer minor units plus an ISO 4217 currency; times are RFC 3339 UTC.
Whatever goes wrong is a problem (RFC 9457) with a stable \`code\`, and its \`detail\` says what to do next.
\`Retry-After\` says when, wherever waiting helps. A path or method that is not listed here is answered \`404\`.
Answers may get further members with time: read those you know, and ignore the others.

From a browser: pages of the origins in \`ALLOWED_ORIGINS\` may make every call but those of the services, and read
\`Location\`, \`ETag\`, \`Retry-After\`, \`Idempotent-Replayed\` and \`X-Correlation-Id\`.`;

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
      responses: gatewayResponses(),
      parameters: Object.fromEntries(
        Object.entries(REQUEST_HEADERS).map(([name, header]) => [
          name,
          { name, in: 'header', required: false, ...header },
        ]),
      ),
      headers: ANSWER_HEADERS,
      examples: Object.fromEntries(
        [...PROBLEM_TYPES].map(([code, { title }]) => [
          code,
          { summary: title, value: problemExample(code) },
        ]),
      ),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

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
      ...notModified(operation),
      ...problems(operation),
      ...GATEWAY_RESPONSE_REFERENCES,
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

function notModified({ headers = [] }: Operation): Record<string, OpenApiResponse> {
  if (!headers.includes('If-None-Match')) return {};
  const description = 'Not changed since; without content.';
  return { 304: { description, headers: headerReferences(['ETag']), content: {} } };
}

/** One response a status, with the codes that it may carry. */
function problems(operation: Operation): Record<string, OpenApiResponse> {
  const byStatus = Map.groupBy(problemCodesOf(operation), (code) => problemTypeOf(code).status);
  return Object.fromEntries(
    [...byStatus].map(([status, codesOfStatus]) => [
      String(status),
      {
        description: codesOfStatus.map((code) => problemTypeOf(code).title).join('; '),
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
