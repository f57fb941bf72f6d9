import { environment } from '../environment.ts';
import { installedRuntime } from '../lambda/installed-runtime.ts';
import type { ApiResponse, Call, HttpAnswer } from './endpoint.ts';

type Headers = Readonly<Record<string, string>>;

/**
 * Completes every answer, problems included: its correlation id, links below the caller's base path, and headers
 * that tell browsers and caches how to treat it. They never guess its type, never store it unless the route says
 * so, and let pages of allowed origins read it.
 * @param isForPages false for routes that only other services call.
 */
export function finishAnswer(call: Call, answer: HttpAnswer, isForPages: boolean): HttpAnswer {
  const { basePath } = call;
  const { statusCode, headers, body } = basePath === '' ? answer : linkedBelow(basePath, answer);
  return {
    statusCode,
    headers: {
      'Cache-Control': headers['ETag'] === undefined ? 'no-store' : 'private, no-cache',
      'X-Content-Type-Options': 'nosniff',
      ...(isForPages ? corsHeaders(call.header('origin')) : {}),
      ...headers,
      'X-Correlation-Id': call.correlationId,
    },
    body,
  };
}

/** The answer with its links (`Location`, and every `href` in a JSON body) as the caller can follow them. */
export function linkedBelow(base: string, answer: HttpAnswer): HttpAnswer {
  const { Location: location, ...headers } = answer.headers;
  const isJson = headers['Content-Type']?.endsWith('json') === true;
  return {
    ...answer,
    headers: { ...headers, ...(location === undefined ? {} : { Location: base + location }) },
    body: isJson ? linkedBody(base, answer.body) : answer.body,
  };
}

function linkedBody(base: string, body: string): string {
  return JSON.stringify(JSON.parse(body), (key, value: unknown) =>
    key === 'href' && typeof value === 'string' && value.startsWith('/') ? base + value : value,
  );
}

/** Entity tag of a resource: its version in quotes (RFC 9110). */
export function etagOf({ version }: { readonly version: number }): string {
  return `"${String(version)}"`;
}

/** True if `If-None-Match` names this entity tag: the caller has this answer already. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const known = ifNoneMatch.split(',').map((one) => one.trim().replace(/^W\//, ''));
  return known.includes('*') || known.includes(etag);
}

/** Response to a `GET`: 304 without content if the caller has the answer already. */
export function unlessKnown(
  ifNoneMatch: string | undefined,
  response: ApiResponse & { readonly headers: { readonly ETag: string } },
): ApiResponse {
  const { ETag } = response.headers;
  return isKnown(ifNoneMatch, ETag)
    ? { status: 304, headers: { ETag }, body: undefined }
    : response;
}

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

/** Time for which a browser keeps a preflight's answer. Chromium keeps none for longer than this. */
const PREFLIGHT_MAX_AGE_SECONDS = 7200;

/**
 * Headers that let one page read an answer, and keep caches from giving it to another page. Tokens
 * travel in `Authorization`, so no answer allows credentials that a browser would add by itself.
 * @param origin the request's own; undefined outside browsers.
 */
function corsHeaders(origin: string | undefined): Headers {
  const allowed = allowedOrigins();
  if (allowed.length === 0) return {};
  if (origin === undefined || !allowed.includes(origin)) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': EXPOSED_HEADERS.join(', '),
  };
}

/**
 * Headers that a preflight's answer has besides, for an allowed origin only.
 * @param sendable request headers that a page's script may send.
 */
export function preflightHeaders(
  origin: string | undefined,
  methods: readonly string[],
  sendable: readonly string[],
): Headers {
  if (origin === undefined || !allowedOrigins().includes(origin)) return {};
  return {
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': sendable.join(', '),
    'Access-Control-Max-Age': String(PREFLIGHT_MAX_AGE_SECONDS),
  };
}

/**
 * Origins whose pages may call the API; none by default. Functions without configuration, such as liveness, read
 * the variable itself: parsing all settings would be most of their start. Packaging has checked it.
 */
function allowedOrigins(): readonly string[] {
  const list = installedRuntime?.config.ALLOWED_ORIGINS ?? environment['ALLOWED_ORIGINS'] ?? '';
  return list === '' ? [] : list.split(',').map((origin) => origin.trim());
}
