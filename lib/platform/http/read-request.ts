import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod';
import { CORRELATION_ID, MAX_BODY_BYTES, MAX_WAIT_SECONDS } from '../../limits.ts';
import { BadRequest, BodyTooLarge, Unauthenticated } from '../errors.ts';
import { randomIds } from '../ids.ts';
import { installedRuntime } from '../lambda/installed-runtime.ts';
import { parseJson } from '../parse-json.ts';
import type { Access, BodyContent, Call, Content } from './endpoint.ts';

/** Context as API Gateway hands it over; its own test invocation, and a function URL, leave parts out. */
type RequestContext = Partial<APIGatewayProxyEvent['requestContext']>;

export function callOf(route: string, event: APIGatewayProxyEvent): Call {
  const headers = new Map<string, string | undefined>();
  // API Gateway's own test invocation hands over null if there is no header, and no path of the stage.
  const given = event.headers as typeof event.headers | null;
  for (const [name, value] of Object.entries(given ?? {})) headers.set(name.toLowerCase(), value);
  const context = event.requestContext as RequestContext | undefined;
  const instance = context?.path ?? event.path;
  const requestId = context?.requestId ?? '';
  // The caller's own id if it is harmless to log, or the one in API Gateway's access log.
  const correlationId = [headers.get('x-correlation-id') ?? '', requestId].find((id) =>
    CORRELATION_ID.test(id),
  );
  return {
    event,
    route,
    instance,
    basePath: basePathOf(event.resource, instance),
    header: (name) => headers.get(name.toLowerCase()),
    correlationId: correlationId ?? (installedRuntime?.ids ?? randomIds).random(),
    requestId,
    sourceIp: context?.identity?.sourceIp,
  };
}

/**
 * The part of the caller's path before that of the route: `/prod` at API Gateway's own address,
 * `/shop` if a custom domain maps `/shop` to this API, mostly nothing. Counted from the end by the
 * route's segments, so that the encoding of their values does not matter.
 */
function basePathOf(resource: string | undefined, path: string): string {
  if (resource === undefined || resource.includes('+}')) return '';
  const segments = path.split('/').filter(Boolean);
  const own = resource.split('/').filter(Boolean).length;
  const base = segments.slice(0, Math.max(0, segments.length - own));
  return base.length === 0 ? '' : `/${base.join('/')}`;
}

/**
 * The token of the route's own header, or of `Authorization`.
 * @throws Unauthenticated if there is none.
 */
export function tokenOf(call: Call, { header }: Access): string {
  if (header !== undefined) {
    const token = call.header(header) ?? '';
    if (token === '') throw new Unauthenticated(`Send "${header}: <token>".`);
    return token;
  }
  const match = /^Bearer +(\S+)$/i.exec(call.header('authorization') ?? '');
  if (match?.[1] === undefined) {
    throw new Unauthenticated('Send "Authorization: Bearer <token>".');
  }
  return match[1];
}

/** The body's bytes as they were sent. */
export function rawBodyOf(event: APIGatewayProxyEvent): Buffer {
  return Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
}

const BYTE_ORDER_MARK = '\uFEFF';

/** @throws BodyTooLarge; BadRequest that says what is wrong with the text, or names every field at fault. */
export function readBody<Schema extends z.ZodType>(
  content: BodyContent<Schema>,
  event: APIGatewayProxyEvent,
): z.infer<Schema> {
  if (content.isLenient === true) return readIfUnderstood(content, event);
  const raw = rawBodyOf(event);
  if (raw.byteLength > MAX_BODY_BYTES) {
    throw new BodyTooLarge(`Send at most ${String(MAX_BODY_BYTES)} bytes.`);
  }
  const text = raw.toString('utf8');
  if (text === '') throw new BadRequest('The body must be JSON; it is empty.');
  if (text.startsWith(BYTE_ORDER_MARK)) {
    throw new BadRequest('The body must be JSON; leave out the byte order mark before it.');
  }
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new BadRequest('The body must be JSON.');
  }
  const body = validated(content.schema, given, 'body');
  if (isWellFormed(body)) return body;
  throw new BadRequest('Correct the body: an escape in a text is half a surrogate pair.');
}

/** A schema for which `isLenient` may be set allows undefined. */
function readIfUnderstood<Schema extends z.ZodType>(
  { schema }: BodyContent<Schema>,
  event: APIGatewayProxyEvent,
): z.infer<Schema> {
  const text = rawBodyOf(event).toString('utf8').replace(BYTE_ORDER_MARK, '');
  const parsed = schema.safeParse(parseJson(text));
  return (parsed.success && isWellFormed(parsed.data) ? parsed.data : undefined) as z.infer<Schema>;
}

/** Tells if all texts are Unicode. Half a surrogate pair is JSON, but no database stores it and no URL carries it. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(
    ([name, member]) => name.isWellFormed() && isWellFormed(member),
  );
}

/** @throws BadRequest that names every parameter at fault. */
export function readQuery<Schema extends z.ZodType>(
  { schema }: Content<Schema>,
  event: APIGatewayProxyEvent,
): z.infer<Schema> {
  return validated(schema, event.queryStringParameters ?? {}, 'query');
}

function validated<Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
  part: 'body' | 'query',
): z.infer<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    field: path.map(String).join('.'),
    message,
  }));
  const summary = errors
    .map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
    .join('; ');
  throw new BadRequest(`Correct the ${part}: ${summary}.`, { details: { errors } });
}

/** Seconds of `Prefer: wait=N` (RFC 7240), clamped to `MAX_WAIT_SECONDS`; 0 if the caller does not want to wait. */
export function waitSecondsOf(call: Call): number {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?/i.exec(call.header('prefer') ?? '');
  const longest = installedRuntime?.config.MAX_WAIT_SECONDS ?? MAX_WAIT_SECONDS;
  return Math.min(Number(match?.[1] ?? 0), longest);
}

/**
 * Reads the version in `If-Match`; undefined if the header is absent or `*`.
 * @throws BadRequest if it is not an entity tag of this API.
 */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const match = /^\s*"(\d{1,15})"\s*$/.exec(ifMatch);
  if (match === null) {
    throw new BadRequest('If-Match must be the ETag of an earlier answer, such as "3".');
  }
  return Number(match[1]);
}
