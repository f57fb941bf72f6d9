import { MAX_BODY_BYTES } from '../../limits.ts';
import { NO_SUCH_CALL } from './problems.ts';

/** A response that API Gateway makes by itself, before or after any function. */
export interface GatewayResponse {
  /** Undefined for the two defaults, whose status only API Gateway knows. */
  readonly status: number | undefined;
  readonly code: string;
  readonly title: string;
  /** Says what to do next. */
  readonly detail: string;
}

const AGAIN = 'Send the same request with the same Idempotency-Key again; nothing is done twice.';
const CORRECT = 'Correct the request; see /docs.';

/**
 * API Gateway's own responses as problems (RFC 9457), by API Gateway's name of each. The template is made from
 * them (infrastructure/api-gateway.cjs). The API's document describes those that callers meet.
 */
export const GATEWAY_RESPONSES = {
  DEFAULT_4XX: response(undefined, 'BAD_REQUEST', 'The request was refused', CORRECT),
  DEFAULT_5XX: response(undefined, 'INTERNAL_ERROR', 'Something went wrong', AGAIN),
  ACCESS_DENIED: response(
    403,
    'FORBIDDEN',
    'Not allowed from here',
    'Ask whoever runs this API for access.',
  ),
  MISSING_AUTHENTICATION_TOKEN: response(404, 'NOT_FOUND', 'There is nothing here', NO_SUCH_CALL),
  RESOURCE_NOT_FOUND: response(404, 'NOT_FOUND', 'There is nothing here', NO_SUCH_CALL),
  REQUEST_TOO_LARGE: response(
    413,
    'BODY_TOO_LARGE',
    'The body is too large',
    `Send at most ${String(MAX_BODY_BYTES)} bytes.`,
  ),
  UNSUPPORTED_MEDIA_TYPE: response(415, 'BAD_REQUEST', 'The body must be JSON', CORRECT),
  THROTTLED: response(
    429,
    'TOO_MANY_REQUESTS',
    'Too many requests at once',
    `Wait a moment. ${AGAIN}`,
  ),
  INTEGRATION_FAILURE: response(504, 'TEMPORARILY_UNAVAILABLE', 'Temporarily unavailable', AGAIN),
  INTEGRATION_TIMEOUT: response(504, 'TEMPORARILY_UNAVAILABLE', 'It took too long', AGAIN),
} as const satisfies Readonly<Record<string, GatewayResponse>>;

/** The problem, but for `instance`, which API Gateway fills in. */
export function gatewayProblem({ status, code, title, detail }: GatewayResponse) {
  return {
    type: `urn:ordersaga:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    ...(status === undefined ? {} : { status }),
    detail,
    code,
  };
}

/** True if the same request may succeed a moment later. */
export function isTemporaryResponse({ status }: GatewayResponse): boolean {
  return status === 429 || status === 504;
}

function response(
  status: number | undefined,
  code: string,
  title: string,
  detail: string,
): GatewayResponse {
  return { status, code, title, detail };
}
