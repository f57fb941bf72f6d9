import { MAX_BODY_BYTES } from '../../limits.ts';
import {
  BadRequest,
  BodyTooLarge,
  InfrastructureUnavailable,
  NotFound,
  type ProblemType,
} from '../errors.ts';
import { INTERNAL_ERROR, NO_SUCH_CALL, problemType, SEND_AGAIN } from './problems.ts';

/** A response that API Gateway makes by itself, before or after any function. */
export interface GatewayResponse {
  /** Undefined for the two defaults, whose status only API Gateway knows. */
  readonly status: number | undefined;
  readonly code: string;
  readonly title: string;
  /** Says what to do next. */
  readonly detail: string;
}

const CORRECT = 'Correct the request; see /docs.';

/**
 * API Gateway's own responses as problems (RFC 9457), by API Gateway's name of each. The template is made from
 * them (infrastructure/api-gateway.cjs). The API's document describes those that callers meet.
 */
export const GATEWAY_RESPONSES = {
  DEFAULT_4XX: response(
    undefined,
    { ...BadRequest.refusal, title: 'The request was refused' },
    CORRECT,
  ),
  DEFAULT_5XX: response(undefined, INTERNAL_ERROR, SEND_AGAIN),
  ACCESS_DENIED: response(
    403,
    { code: 'FORBIDDEN', title: 'Not allowed from here' },
    'Ask whoever runs this API for access.',
  ),
  MISSING_AUTHENTICATION_TOKEN: response(404, NotFound.refusal, NO_SUCH_CALL),
  RESOURCE_NOT_FOUND: response(404, NotFound.refusal, NO_SUCH_CALL),
  REQUEST_TOO_LARGE: response(
    413,
    BodyTooLarge.refusal,
    `Send at most ${String(MAX_BODY_BYTES)} bytes.`,
  ),
  UNSUPPORTED_MEDIA_TYPE: response(
    415,
    { ...BadRequest.refusal, title: 'The body must be JSON' },
    CORRECT,
  ),
  THROTTLED: response(
    429,
    { code: 'TOO_MANY_REQUESTS', title: 'Too many requests at once' },
    `Wait a moment. ${SEND_AGAIN}`,
  ),
  // The rate of one address, the only rule there is.
  WAF_FILTERED: response(
    429,
    { code: 'TOO_MANY_REQUESTS', title: 'Too many requests from your address' },
    `Wait a few minutes. ${SEND_AGAIN}`,
  ),
  // Also a throttled function, which did not run.
  INTEGRATION_FAILURE: response(503, InfrastructureUnavailable.refusal, SEND_AGAIN),
  INTEGRATION_TIMEOUT: response(
    504,
    { ...InfrastructureUnavailable.refusal, title: 'It took too long' },
    SEND_AGAIN,
  ),
} as const satisfies Readonly<Record<string, GatewayResponse>>;

/** The problem, but for `instance`, which API Gateway fills in. */
export function gatewayProblem({ status, code, title, detail }: GatewayResponse) {
  return {
    type: problemType(code),
    title,
    ...(status === undefined ? {} : { status }),
    detail,
    code,
  };
}

/** True if the same request may succeed a moment later. */
export function isTemporaryResponse({ status }: GatewayResponse): boolean {
  return status === 429 || status === 503 || status === 504;
}

function response(
  status: number | undefined,
  { code, title }: Pick<ProblemType, 'code' | 'title'>,
  detail: string,
): GatewayResponse {
  return { status, code, title, detail };
}
