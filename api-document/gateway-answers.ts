import {
  GATEWAY_RESPONSES,
  type GatewayResponse,
  gatewayProblem,
  isTemporaryResponse,
} from '../lib/platform/http/gateway-responses.ts';
import type { OpenApiMedia, OpenApiOperation, OpenApiResponse } from './open-api-format.ts';
import { ANSWER_HEADERS } from './shared-parts.ts';

/** API Gateway's own answers that every call may meet, by status; 502 is that of a failed function. */
const EVERYWHERE = {
  413: GATEWAY_RESPONSES.REQUEST_TOO_LARGE,
  429: GATEWAY_RESPONSES.THROTTLED,
  502: GATEWAY_RESPONSES.DEFAULT_5XX,
  503: GATEWAY_RESPONSES.INTEGRATION_FAILURE,
  504: GATEWAY_RESPONSES.INTEGRATION_TIMEOUT,
} as const;

/** The answers themselves, by their name in the document. */
export function gatewayResponses(): Record<string, OpenApiResponse> {
  return Object.fromEntries(
    Object.entries(EVERYWHERE).map(([status, response]) => [
      `Gateway${status}`,
      describe(response),
    ]),
  );
}

/** Adds them to a function's own answers. If both answer a status, a caller may get either. */
export function withGatewayAnswers(
  own: Readonly<Record<string, OpenApiResponse>>,
): OpenApiOperation['responses'] {
  const all: Record<string, OpenApiOperation['responses'][string]> = { ...own };
  for (const [status, response] of Object.entries(EVERYWHERE)) {
    const functions = own[status];
    all[status] =
      functions === undefined
        ? { $ref: `#/components/responses/Gateway${status}` }
        : either(functions, describe(response), response.code);
  }
  return all;
}

function either(own: OpenApiResponse, gateways: OpenApiResponse, code: string): OpenApiResponse {
  const headers = { ...gateways.headers, ...own.headers };
  for (const [name, header] of Object.entries(headers)) {
    const isPromised = name in own.headers && name in gateways.headers;
    if (!isPromised && 'required' in header) headers[name] = { ...header, required: false };
  }
  const content: Record<string, OpenApiMedia> = { ...gateways.content, ...own.content };
  for (const [type, { schema, example }] of Object.entries(gateways.content)) {
    const ownMedia = own.content[type];
    if (ownMedia === undefined) continue;
    content[type] = {
      schema: { anyOf: [ownMedia.schema, schema] },
      examples: {
        ...ownMedia.examples,
        [code]: { summary: gateways.description, value: example },
      },
    };
  }
  return { description: `${own.description}; ${gateways.description}`, headers, content };
}

function describe(response: GatewayResponse): OpenApiResponse {
  const { status, code, title } = response;
  return {
    description: `${title} (\`${code}\`, by API Gateway)`,
    headers: {
      'X-Correlation-Id': { $ref: '#/components/headers/X-Correlation-Id' },
      ...(isTemporaryResponse(response)
        ? { 'Retry-After': { ...ANSWER_HEADERS['Retry-After'], required: true } }
        : {}),
    },
    content: {
      'application/problem+json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Problem' }],
          properties: {
            ...(status === undefined ? {} : { status: { const: status } }),
            code: { const: code },
          },
        },
        example: { ...gatewayProblem(response), instance: '/order' },
      },
    },
  };
}
