/**
 * Headers of CORS. API Gateway's own responses use them too (infrastructure/api-gateway.cjs), so this
 * file imports nothing.
 */

/**
 * Response headers that a page's script may read.
 * @public infrastructure/api-gateway.cjs reads it too.
 */
export const EXPOSED_HEADERS = [
  'Location',
  'ETag',
  'Retry-After',
  'Idempotent-Replayed',
  'X-Correlation-Id',
] as const;

/** Request headers that a page's script may send. */
const ALLOWED_REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Prefer',
  'X-Correlation-Id',
  'X-Allow-Duplicate',
] as const;

/** Time for which a browser keeps a preflight's answer. Chromium keeps none for longer than this. */
const PREFLIGHT_MAX_AGE_SECONDS = 7200;

type Headers = Readonly<Record<string, string>>;

/**
 * Headers that let one page read an answer, and keep caches from giving it to another page. Tokens
 * travel in `Authorization`, so no answer allows credentials that a browser would add by itself.
 * @param origin the request's own; undefined outside browsers.
 */
export function corsHeaders(origin: string | undefined, allowed: readonly string[]): Headers {
  if (allowed.length === 0) return {};
  if (!isAllowed(origin, allowed)) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': EXPOSED_HEADERS.join(', '),
  };
}

/** Headers that a preflight's answer has besides, for an allowed origin only. */
export function preflightHeaders(
  origin: string | undefined,
  allowed: readonly string[],
  methods: readonly string[],
): Headers {
  if (!isAllowed(origin, allowed)) return {};
  return {
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': ALLOWED_REQUEST_HEADERS.join(', '),
    'Access-Control-Max-Age': String(PREFLIGHT_MAX_AGE_SECONDS),
  };
}

function isAllowed(origin: string | undefined, allowed: readonly string[]): origin is string {
  return origin !== undefined && allowed.includes(origin);
}
