import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import type * as z from 'zod';
import { CORRELATION_ID, IDEMPOTENCY_KEY, MAX_BODY_BYTES, MAX_WAIT_SECONDS } from '../limits.ts';
import { authenticateService, authenticateUser, isService, type User } from './authentication.ts';
import { BadRequest, BodyTooLarge, DomainError, MissingScope, Unauthenticated } from './errors.ts';
import { answerOnce, type StoredAnswer } from './idempotency.ts';
import { type LogContext, loggerFor } from './logging.ts';
import { linkedBelow, mountOf, requestPathOf } from './mount.ts';
import { observe } from './observe.ts';
import { pipeline } from './pipeline.ts';
import { type ProblemCode, problemOf } from './problems.ts';
import { currentRuntime } from './runtime.ts';

/** Where the error itself does not know how long an outage lasts. */
const OUTAGE_RETRY_AFTER_SECONDS = 1;

export interface ApiRequest<Body, Query> {
  /** The caller; for services and public routes a nobody without scopes. */
  readonly user: User;
  readonly body: Body;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Query;
  /** Looked up without regard to case. */
  readonly header: (name: string) => string | undefined;
  readonly correlationId: string;
  readonly idempotencyKey: string | undefined;
  /** From `Prefer: wait=N`, clamped to MAX_WAIT_SECONDS; 0 where the caller does not want to wait. */
  readonly waitSeconds: number;
}

export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a body that is text already and is sent as it is; all others are sent as JSON. */
  readonly contentType?: string;
}

export interface Endpoint<BodySchema extends z.ZodType, QuerySchema extends z.ZodType> {
  /** Method and path template, as in the OpenAPI document: `POST /order`. */
  readonly route: string;
  readonly access: 'public' | 'user' | 'service' | 'user-or-service';
  readonly scope?: string;
  readonly body?: BodySchema;
  readonly query?: QuerySchema;
  /** Honour `Idempotency-Key`. */
  readonly idempotent?: boolean;
  /** For callers without a token: rejects unless the body, before it is parsed, proves them genuine. */
  readonly verify?: (
    rawBody: Buffer,
    header: ApiRequest<unknown, unknown>['header'],
  ) => Promise<void>;
  /** Whether a stored answer (its body) no longer answers what the caller asks for again. */
  readonly isOutdated?: (body: unknown) => Promise<boolean>;
}

/**
 * Makes the Lambda of one route: correlation id, token, body, idempotency, problems; `respond`
 * sees only well-formed requests of known callers and may throw any DomainError.
 */
export function apiHandler<
  BodySchema extends z.ZodType = z.ZodUndefined,
  QuerySchema extends z.ZodType = z.ZodUndefined,
>(
  endpoint: Endpoint<BodySchema, QuerySchema>,
  respond: (request: ApiRequest<z.infer<BodySchema>, z.infer<QuerySchema>>) => Promise<ApiResponse>,
) {
  const handler = pipeline<APIGatewayProxyEvent, APIGatewayProxyResult>().handler(
    async (event: APIGatewayProxyEvent, context: Context) => {
      const header = headerReader(event);
      const correlationId = correlationIdOf(header('x-correlation-id'));
      const about = { correlationId, route: endpoint.route };
      const instance = requestPathOf(event);
      const answer = await answerOrProblem(instance, about, async () => {
        const user = await authenticate(endpoint, header('authorization'));
        await endpoint.verify?.(rawBodyOf(event), header);
        const request: ApiRequest<z.infer<BodySchema>, z.infer<QuerySchema>> = {
          user,
          header,
          correlationId,
          body: parse(endpoint.body, () => bodyOf(event), 'body'),
          path: definedEntries(event.pathParameters),
          query: parse(endpoint.query, () => definedEntries(event.queryStringParameters), 'query'),
          idempotencyKey:
            endpoint.idempotent === true ? idempotencyKeyOf(header('idempotency-key')) : undefined,
          waitSeconds: waitSecondsOf(header('prefer')),
        };
        const produce = () =>
          answerOrProblem(instance, about, async () => toAnswer(await respond(request)));
        if (request.idempotencyKey === undefined) return produce();
        const stored = await answerOnce(
          {
            route: endpoint.route,
            userId: user.userId,
            key: request.idempotencyKey,
            content: { path: request.path, body: request.body },
          },
          context,
          produce,
        );
        const isOutdated =
          stored.headers['Idempotent-Replayed'] !== undefined &&
          (await endpoint.isOutdated?.(JSON.parse(stored.body)));
        return isOutdated === true ? await produce() : stored;
      });
      const { statusCode, headers, body } = linkedBelow(mountOf(event), answer);
      return { statusCode, body, headers: { ...headers, 'X-Correlation-Id': correlationId } };
    },
  );
  // What it was made of, so that the API's document can be held against it.
  return Object.assign(handler, { endpoint });
}

const NOBODY: User = { userId: '', scopes: new Set() };

async function authenticate(
  endpoint: Pick<Endpoint<z.ZodType, z.ZodType>, 'access' | 'scope'>,
  authorization: string | undefined,
): Promise<User> {
  switch (endpoint.access) {
    case 'public':
      return NOBODY;
    case 'service':
      await authenticateService(authorization);
      return NOBODY;
    case 'user':
      return authorize(endpoint.scope, await authenticateUser(authorization));
    case 'user-or-service':
      try {
        return authorize(endpoint.scope, await authenticateUser(authorization));
      } catch (error) {
        // Only now: no user has to wait for the services' credential.
        if (error instanceof Unauthenticated && (await isService(authorization))) return NOBODY;
        throw error;
      }
  }
}

function authorize(scope: string | undefined, user: User): User {
  if (scope === undefined || user.scopes.has(scope)) return user;
  throw new MissingScope(`This needs a token with the scope ${scope}.`);
}

function rawBodyOf(event: APIGatewayProxyEvent): Buffer {
  const raw = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (raw.byteLength > MAX_BODY_BYTES) {
    throw new BodyTooLarge(`Send at most ${String(MAX_BODY_BYTES)} bytes.`);
  }
  return raw;
}

function bodyOf(event: APIGatewayProxyEvent): unknown {
  const raw = rawBodyOf(event);
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    throw new BadRequest('The body must be JSON.');
  }
}

/** @throws BadRequest that names every field at fault. */
function parse<Schema extends z.ZodType>(
  schema: Schema | undefined,
  read: () => unknown,
  part: 'body' | 'query',
): z.infer<Schema> {
  // An endpoint without a schema has nothing to read; its type is z.ZodUndefined.
  if (schema === undefined) return undefined as z.infer<Schema>;
  const parsed = schema.safeParse(read());
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({
    field: issue.path.map(String).join('.'),
    message: issue.message,
  }));
  const summary = errors
    .map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
    .join('; ');
  throw new BadRequest(`Correct the ${part}: ${summary}.`, { details: { errors } });
}

/** Refusals of what was asked for before. */
const DUPLICATES: ReadonlySet<string> = new Set([
  'DUPLICATE_ORDER',
  'IDEMPOTENCY_CONFLICT',
  'REQUEST_IN_PROGRESS',
] satisfies ProblemCode[]);

async function answerOrProblem(
  instance: string,
  about: LogContext,
  produce: () => Promise<StoredAnswer>,
): Promise<StoredAnswer> {
  try {
    return await produce();
  } catch (error) {
    const document = problemOf(error, instance);
    const { code } = document;
    if (document.status >= 500)
      loggerFor(about).error('Request failed', { code, error: error as Error });
    if (DUPLICATES.has(code)) {
      observe('DuplicateRefused', about, { code }, { orderId: document['orderId'] });
    }
    const retryAfterSeconds =
      (error instanceof DomainError ? error.retryAfterSeconds : undefined) ??
      (document.status === 503 ? OUTAGE_RETRY_AFTER_SECONDS : undefined);
    return {
      statusCode: document.status,
      body: JSON.stringify(document),
      headers: {
        'Content-Type': 'application/problem+json',
        ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
        ...(document.status === 401
          ? { 'WWW-Authenticate': document.code === 'BAD_SIGNATURE' ? 'Signature' : 'Bearer' }
          : {}),
      },
    };
  }
}

function toAnswer(response: ApiResponse): StoredAnswer {
  const { status, body, headers, contentType } = response;
  return {
    statusCode: status,
    body: contentType === undefined ? JSON.stringify(body) : String(body),
    headers: { 'Content-Type': contentType ?? 'application/json', ...headers },
  };
}

function headerReader(event: APIGatewayProxyEvent): (name: string) => string | undefined {
  // API Gateway's own test invocation hands over null where there is no header.
  const headers = new Map(
    Object.entries(definedEntries(event.headers)).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]),
  );
  return (name) => headers.get(name.toLowerCase());
}

/** The caller's own id is kept where it is harmless to log; otherwise a new one. */
function correlationIdOf(given: string | undefined): string {
  return given !== undefined && CORRELATION_ID.test(given) ? given : currentRuntime().ids.random();
}

function idempotencyKeyOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (!IDEMPOTENCY_KEY.test(given)) {
    throw new BadRequest('Idempotency-Key must be 1 to 255 printable ASCII characters.');
  }
  return given;
}

function waitSecondsOf(prefer: string | undefined): number {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?/i.exec(prefer ?? '');
  return Math.min(Number(match?.[1] ?? 0), MAX_WAIT_SECONDS);
}

/**
 * The version in `If-Match`; undefined where it is absent or `*`.
 * @throws BadRequest where it is not an ETag of ours.
 */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const match = /^\s*"(\d{1,15})"\s*$/.exec(ifMatch);
  if (match === null) {
    throw new BadRequest('If-Match must be the ETag of an earlier answer, such as "3".');
  }
  return Number(match[1]);
}

function definedEntries(
  record: Readonly<Record<string, string | undefined>> | null,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(record ?? {}).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}
