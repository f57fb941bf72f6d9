import { ConcurrentUpdate, DomainError, type Facts } from '../errors.ts';

/** The one table from codes to HTTP statuses and titles (RFC 9457). */
export const PROBLEMS = {
  BAD_REQUEST: [400, 'The request is not well-formed'],
  BODY_TOO_LARGE: [400, 'The body is too large'],
  UNAUTHENTICATED: [401, 'A valid access token is needed'],
  BAD_SIGNATURE: [401, 'A valid signature is needed'],
  MISSING_SCOPE: [403, 'The access token lacks a scope'],
  NOT_FOUND: [404, 'There is nothing here'],
  ILLEGAL_TRANSITION: [409, 'Not possible in the present status'],
  DUPLICATE_ORDER: [409, 'The same order was placed a moment ago'],
  REQUEST_IN_PROGRESS: [409, 'The first request with this key still runs'],
  RESERVATION_EXPIRED: [409, 'The reservation has expired'],
  PAYMENT_UNSETTLED: [409, 'An earlier payment is not settled yet'],
  MODIFICATION_PENDING: [409, 'An earlier change is not decided yet'],
  MODIFICATION_REJECTED: [409, 'The change was refused'],
  PRODUCT_EXISTS: [409, 'The product id is taken'],
  CONCURRENT_UPDATE: [409, 'Changed by someone else at the same moment'],
  STALE_REVISION: [409, 'A newer revision is stored'],
  PRECONDITION_FAILED: [412, 'It has changed since it was read'],
  RESERVATION_GONE: [410, 'The reservation is gone'],
  IDEMPOTENCY_CONFLICT: [422, 'The key was used for another request'],
  BAD_QUANTITY: [422, 'A quantity is out of range'],
  OUT_OF_STOCK: [422, 'Not enough in stock'],
  UNKNOWN_PRODUCT: [422, 'No such product'],
  PRODUCT_UNAVAILABLE: [422, 'The product is not on sale at the moment'],
  MIXED_CURRENCIES: [422, 'Different currencies in one order'],
  ORDER_FAILED: [503, 'The order could not be fulfilled now'],
  PAYMENT_DECLINED: [402, 'The payment was declined'],
  PAYMENT_FAILED: [402, 'The payment failed'],
  TEMPORARILY_UNAVAILABLE: [503, 'Temporarily unavailable'],
  INVENTORY_UNAVAILABLE: [503, 'Inventory is not available'],
  INVENTORY_TIMEOUT: [503, 'Inventory did not answer in time'],
  INVENTORY_RESTARTING: [503, 'Inventory is restarting'],
  LOCK_CONTENTION: [503, 'Too much contention at a product'],
  CACHE_TIMEOUT: [503, 'The cache did not answer in time'],
  INTERNAL_ERROR: [500, 'Something went wrong'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

/** For a path or method that the API does not have. */
export const NO_SUCH_CALL = 'No such path or method; see /docs for those there are.';

export type ProblemCode = keyof typeof PROBLEMS;

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly [extension: string]: unknown;
}

/** @param detail says what to do next. */
export function problem(
  code: ProblemCode,
  detail: string,
  instance: string,
  extensions: Facts = {},
): Problem {
  const [status, title] = PROBLEMS[code];
  return {
    ...extensions,
    type: `urn:ordersaga:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail,
    instance,
    code,
  };
}

/** A domain error as it is; anything else as a 500 that gives nothing away. */
export function problemOf(error: unknown, instance: string): Problem {
  if (error instanceof DomainError && isProblemCode(error.code)) {
    return problem(error.code, error.message, instance, error.details);
  }
  return problem(
    'INTERNAL_ERROR',
    'Send the same request with the same Idempotency-Key again; nothing is done twice. ' +
      'If it persists, report the X-Correlation-Id.',
    instance,
  );
}

/** True if a retry may succeed: an outage, a lost race, or an unknown failure. */
export function isTemporary(error: unknown): boolean {
  if (!(error instanceof DomainError)) return true;
  if (error instanceof ConcurrentUpdate) return true;
  return isProblemCode(error.code) && PROBLEMS[error.code][0] >= 500;
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}
