import type { APIGatewayProxyEvent } from 'aws-lambda';
import { requestPathOf } from './request-path.ts';

export interface User {
  readonly userId: string;
  readonly scopes: ReadonlySet<string>;
}

const NOBODY: User = { userId: '', scopes: new Set() };

/** One request on its way through the middlewares, each of which fills in its own part. */
export interface Call {
  readonly event: APIGatewayProxyEvent;
  readonly route: string;
  /** The path as the caller sent it. */
  readonly instance: string;
  /** Looks a request header up without regard to case. */
  readonly header: (name: string) => string | undefined;
  readonly path: Readonly<Record<string, string>>;
  correlationId: string;
  /** The caller; a nobody without scopes for services and public routes. */
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
  return {
    event,
    route,
    instance: requestPathOf(event),
    header: headerReader(event),
    path: definedEntries(event.pathParameters),
    correlationId: '',
    user: NOBODY,
    body: undefined,
    query: undefined,
    idempotencyKey: undefined,
  };
}

function headerReader(event: APIGatewayProxyEvent): (name: string) => string | undefined {
  // API Gateway's own test invocation hands over null if there is no header.
  const headers = new Map(
    Object.entries(definedEntries(event.headers)).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]),
  );
  return (name) => headers.get(name.toLowerCase());
}

export function definedEntries(
  record: Readonly<Record<string, string | undefined>> | null,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(record ?? {}).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}
