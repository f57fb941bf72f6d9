import * as z from 'zod';
import type { ServiceExamples } from '../lib/platform/http/examples.ts';
import { type DocumentedEndpoint, ENDPOINTS } from './endpoints.ts';
import { gatewayResponses, withGatewayAnswers } from './gateway-answers.ts';
import { reference, schemas } from './named-schemas.ts';
import type {
  Json,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiParameter,
  OpenApiResponse,
} from './open-api-format.ts';
import { isReplayable, problemCodesOf } from './problem-codes.ts';
import { problemExample } from './problem-examples.ts';
import { PROBLEM_TYPES, problemTypeOf } from './problem-types.ts';
import { SERVICES } from './service-examples.ts';
import { ANSWER_HEADERS, REQUEST_HEADERS, SECURITY_SCHEMES } from './shared-parts.ts';

const DESCRIPTION = `Orders and payments that never oversell, never charge twice and never lose an order.

JSON in, JSON out. Money is integer minor units plus an ISO 4217 currency; times are RFC 3339 UTC.
Every error is a problem document (RFC 9457) with a stable \`code\`; its \`detail\` says what to do next.
\`Retry-After\` gives the seconds to wait, if waiting helps. A path or method that is not listed here is answered \`404\`.
Later versions may add members to answers: ignore those you do not know.

From a browser: pages of the origins in \`ALLOWED_ORIGINS\` may call every route but the payment gateway's, and read
\`Location\`, \`ETag\`, \`Retry-After\`, \`Idempotent-Replayed\` and \`X-Correlation-Id\`.`;

/** The document of the whole API, made from the declarations of all functions. */
export function openApiDocument(): OpenApiDocument {
  return {
    openapi: '3.1.1',
    info: { title: 'ordersaga', version: '0.1.0', description: DESCRIPTION },
    servers: [{ url: '.', description: 'The address that this document was read from.' }],
    tags: SERVICES.flatMap(({ tags }) => tags),
    paths: paths(),
    components: {
      schemas: schemas(),
      responses: gatewayResponses(),
      parameters: Object.fromEntries(requestHeaders().map((header) => [header.name, header])),
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

function requestHeaders(): OpenApiParameter[] {
  return [REQUEST_HEADERS, ...SERVICES.map(({ requestHeaders = {} }) => requestHeaders)].flatMap(
    (headers) =>
      Object.entries(headers).map(([name, header]) => ({
        name,
        in: 'header',
        required: false,
        ...header,
      })),
  );
}

function paths(): OpenApiDocument['paths'] {
  const found: Record<string, Record<string, OpenApiOperation>> = {};
  for (const [id, endpoint] of ENDPOINTS) {
    const [method = '', path = ''] = endpoint.route.split(' ');
    (found[path] ??= {})[method.toLowerCase()] = operationObject(id, endpoint);
  }
  return found;
}

function operationObject(id: string, endpoint: DocumentedEndpoint): OpenApiOperation {
  const { body, document } = endpoint;
  const { tag, summary, description } = document;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: securityOf(endpoint),
    parameters: parametersOf(endpoint),
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
    responses: withGatewayAnswers({
      ...successes(endpoint),
      ...notModified(endpoint),
      ...problems(endpoint),
    }),
  };
}

function securityOf({ access, signature }: DocumentedEndpoint): OpenApiOperation['security'] {
  if (access.callers === 'user')
    return [{ user: access.scope === undefined ? [] : [access.scope] }];
  return signature === undefined ? [] : [{ signature: [] }];
}

/** @throws if no service lists the endpoint's tag. */
function serviceOf({ document }: DocumentedEndpoint): ServiceExamples {
  const service = SERVICES.find(({ tags }) => tags.some(({ name }) => name === document.tag));
  if (service === undefined) throw new Error(`No service has the tag ${document.tag}.`);
  return service;
}

function parametersOf(endpoint: DocumentedEndpoint): OpenApiOperation['parameters'] {
  const { query, idempotency, headers = [] } = endpoint;
  const names = [
    ...(idempotency === undefined ? [] : ['Idempotency-Key']),
    ...headers,
    'X-Correlation-Id',
  ];
  return [
    ...pathParameters(endpoint),
    ...(query === undefined ? [] : queryParameters(query.schema, query.example as QueryExample)),
    ...names.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
}

/** @throws if the endpoint's service does not describe a parameter of the route. */
function pathParameters(endpoint: DocumentedEndpoint): OpenApiParameter[] {
  const described = serviceOf(endpoint).pathParameters;
  return [...endpoint.route.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const parameter = described[name];
    if (parameter === undefined) throw new Error(`Describe ${name} of ${endpoint.route}.`);
    return { name, in: 'path', required: true, schema: { type: 'string' }, ...parameter };
  });
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

/** @throws if a declaration names an example that its service does not have. */
function successes(endpoint: DocumentedEndpoint): Record<string, OpenApiResponse> {
  const examples = serviceOf(endpoint).answers;
  const isReplayable = endpoint.idempotency !== undefined;
  return Object.fromEntries(
    Object.entries(endpoint.document.answers).map(([status, answer]) => {
      const { description, example, headers = [], contentType = 'application/json' } = answer;
      const known = examples[example];
      if (known === undefined) throw new Error(`There is no example ${example}.`);
      const replayed = isReplayable ? (['Idempotent-Replayed'] as const) : [];
      const response: OpenApiResponse = {
        description,
        headers: headerReferences([...headers, ...replayed]),
        content: { [contentType]: { schema: reference(known.schema), example: known.value } },
      };
      return [status, response];
    }),
  );
}

function notModified({ headers = [] }: DocumentedEndpoint): Record<string, OpenApiResponse> {
  if (!headers.includes('If-None-Match')) return {};
  const description = 'The resource has not changed; there is no content.';
  return { 304: { description, headers: headerReferences(['ETag']), content: {} } };
}

/** One response a status, with the codes that it may carry. */
function problems(endpoint: DocumentedEndpoint): Record<string, OpenApiResponse> {
  const byStatus = Map.groupBy(problemCodesOf(endpoint), (code) => problemTypeOf(code).status);
  return Object.fromEntries(
    [...byStatus].map(([status, codesOfStatus]) => [
      String(status),
      {
        description: codesOfStatus.map((code) => problemTypeOf(code).title).join('; '),
        headers: problemHeaders(endpoint, status, codesOfStatus),
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

function problemHeaders(
  endpoint: DocumentedEndpoint,
  status: number,
  codes: readonly string[],
): OpenApiResponse['headers'] {
  const replayable = codes.some((code) => isReplayable(endpoint, code));
  return {
    ...headerReferences([
      ...(status === 401 ? (['WWW-Authenticate'] as const) : []),
      ...(status === 409 ? (['Retry-After'] as const) : []),
      ...(replayable ? (['Idempotent-Replayed'] as const) : []),
    ]),
    // An outage and a limit always say when to come back.
    ...(status === 503 || status === 429
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
