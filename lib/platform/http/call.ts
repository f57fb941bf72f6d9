import type { APIGatewayProxyEvent } from 'aws-lambda';
import { CORRELATION_ID } from '../../limits.ts';
import { Unauthenticated } from '../errors.ts';
import { installedRuntime, randomIds } from '../lambda/installed-runtime.ts';

export interface User {
  readonly userId: string;
  readonly scopes: ReadonlySet<string>;
}

const NOBODY: User = { userId: '', scopes: new Set() };

/** One request, whose parts the middlewares fill in one after another. */
export interface Call {
  readonly event: APIGatewayProxyEvent;
  readonly route: string;
  /** The path as the caller sent it. */
  readonly instance: string;
  /** Looks a request header up without regard to case. */
  readonly header: (name: string) => string | undefined;
  readonly path: Readonly<Record<string, string>>;
  readonly correlationId: string;
  /** The caller. Services and callers of public routes have an empty id and no scopes. */
  user: User;
  body: unknown;
  query: unknown;
  idempotencyKey: string | undefined;
}

/** A response as API Gateway takes it; stored as it is for an idempotency key. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function callOf(route: string, event: APIGatewayProxyEvent): Call {
  const header = headerReader(event);
  return {
    event,
    route,
    instance: requestPathOf(event),
    header,
    path: definedEntries(event.pathParameters),
    correlationId: correlationIdOf(header('x-correlation-id')),
    user: NOBODY,
    body: undefined,
    query: undefined,
    idempotencyKey: undefined,
  };
}

/** The path as the caller sent it: below the stage (`/prod/order`), or below a custom domain's mapping. */
export function requestPathOf({ requestContext, path }: APIGatewayProxyEvent): string {
  // A test invocation may come without either.
  const context = requestContext as Partial<typeof requestContext> | undefined;
  return context?.path ?? path;
}

function headerReader(event: APIGatewayProxyEvent): (name: string) => string | undefined {
  // API Gateway's own test invocation hands over null if there is no header.
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(definedEntries(event.headers))) {
    headers.set(name.toLowerCase(), value);
  }
  return (name) => headers.get(name.toLowerCase());
}

export function definedEntries(
  record: Readonly<Record<string, string | undefined>> | null,
): Readonly<Record<string, string>> {
  // A name such as __proto__ becomes an own property, and so is refused like any unknown one.
  return Object.fromEntries(
    Object.entries(record ?? {}).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}

/** The caller's own id if it is harmless to log, else a new one. */
function correlationIdOf(given: string | undefined): string {
  return given !== undefined && CORRELATION_ID.test(given)
    ? given
    : (installedRuntime()?.ids ?? randomIds).random();
}

/**
 * The token of an `Authorization` header.
 * @throws Unauthenticated if there is none.
 */
export function bearer(authorization: string | undefined): string {
  const match = /^Bearer +(\S+)$/i.exec(authorization ?? '');
  if (match?.[1] === undefined) {
    throw new Unauthenticated('Send "Authorization: Bearer <token>".');
  }
  return match[1];
}
