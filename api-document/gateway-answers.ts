import {
  GATEWAY_RESPONSES,
  type GatewayResponse,
  gatewayProblem,
  isTemporaryResponse,
} from '../lib/platform/http/gateway-responses.ts';
import type { OpenApiResponse } from './open-api-format.ts';
import { ANSWER_HEADERS } from './shared-parts.ts';

/** API Gateway's own answers that every call may meet, by status; 502 is that of a failed function. */
const EVERYWHERE = {
  413: GATEWAY_RESPONSES.REQUEST_TOO_LARGE,
  429: GATEWAY_RESPONSES.THROTTLED,
  502: GATEWAY_RESPONSES.DEFAULT_5XX,
  504: GATEWAY_RESPONSES.INTEGRATION_TIMEOUT,
} as const;

/** References to these answers, by status. */
export const GATEWAY_RESPONSE_REFERENCES = Object.fromEntries(
  Object.keys(EVERYWHERE).map((status) => [
    status,
    { $ref: `#/components/responses/Gateway${status}` },
  ]),
);

/** The answers themselves, by their name in the document. */
export function gatewayResponses(): Record<string, OpenApiResponse> {
  return Object.fromEntries(
    Object.entries(EVERYWHERE).map(([status, response]) => [
      `Gateway${status}`,
      describe(response),
    ]),
  );
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
