import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import type * as z from 'zod';
import { pipeline } from '../lambda/pipeline.ts';
import { withTraceparent } from '../lambda/trace.ts';
import { basePath } from './base-path.ts';
import { browserHeaders } from './browser-headers.ts';
import { type Call, callOf, type HttpAnswer, type User } from './call.ts';
import { correlation } from './correlation.ts';
import type { CallMiddleware, Endpoint, Part } from './endpoint.ts';
import type { Idempotent } from './idempotent.ts';
import type { JsonBody } from './json-body.ts';
import { waitSecondsOf } from './prefer.ts';
import { problemAnswers } from './problem-answers.ts';
import type { QueryParameters } from './query-parameters.ts';

export interface ApiRequest<Body, Query> {
  /** The caller; a nobody without scopes for services and public routes. */
  readonly user: User;
  /** Path template of the resource that API Gateway has matched: `/order/{orderId}`. */
  readonly resource: string;
  readonly body: Body;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Query;
  /** Looks a header up without regard to case. */
  readonly header: (name: string) => string | undefined;
  readonly correlationId: string;
  readonly idempotencyKey: string | undefined;
  /** From `Prefer: wait=N`, clamped to 10; 0 if the caller does not want to wait. */
  readonly waitSeconds: number;
}

export interface ApiResponse {
  readonly status: number;
  /** Undefined for an answer without content. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a body that is text already and is sent as it is; all others are sent as JSON. */
  readonly contentType?: string;
}

/**
 * One route, by the parts that it needs. A function carries only the code of the parts that its own
 * file imports.
 */
export interface Declaration<BodySchema extends z.ZodType, QuerySchema extends z.ZodType> {
  readonly route: string;
  readonly access: {
    readonly facts: Pick<Endpoint, 'access' | 'scope'>;
    readonly middleware?: CallMiddleware;
  };
  readonly signature?: Part<'signed'>;
  readonly body?: JsonBody<BodySchema>;
  readonly query?: QueryParameters<QuerySchema>;
  readonly idempotency?: Idempotent;
}

/**
 * Makes the Lambda of one route. `respond` sees only well-formed requests of known callers and may
 * throw any DomainError. The checks run in the order of the list below.
 */
export function apiHandler<
  BodySchema extends z.ZodType = z.ZodUndefined,
  QuerySchema extends z.ZodType = z.ZodUndefined,
>(
  declaration: Declaration<BodySchema, QuerySchema>,
  respond: (request: ApiRequest<z.infer<BodySchema>, z.infer<QuerySchema>>) => Promise<ApiResponse>,
) {
  const { route, access, signature, body, query, idempotency } = declaration;
  const parts = [access, signature, body, query, idempotency].filter((part) => part !== undefined);
  const run = pipeline<Call, HttpAnswer>()
    .use([
      correlation(),
      browserHeaders(access.facts.access !== 'service' && signature === undefined),
      basePath(),
      problemAnswers(),
      ...parts.flatMap(({ middleware }) => middleware ?? []),
    ])
    .handler((call: Call, context: Context) => {
      // Parsed by the schemas above; a part that is not declared is undefined, as its type says.
      const request = requestOf<z.infer<BodySchema>, z.infer<QuerySchema>>(call);
      const answer = async () => toAnswer(await respond(request));
      return idempotency === undefined ? answer() : idempotency.answer(call, context, answer);
    });
  const handler = (
    event: APIGatewayProxyEvent,
    context: Context,
  ): Promise<APIGatewayProxyResult> => {
    const call = callOf(route, event);
    return withTraceparent(call.header('traceparent'), async () => ({
      ...(await run(call, context)),
    }));
  };
  const endpoint: Endpoint<BodySchema, QuerySchema> = {
    route,
    ...access.facts,
    ...signature?.facts,
    ...body?.facts,
    ...query?.facts,
    ...idempotency?.facts,
  };
  // The facts it was made of, so that the API's document can be held against them.
  return Object.assign(handler, { endpoint });
}

function requestOf<Body, Query>(call: Call): ApiRequest<Body, Query> {
  const { event, user, path, header, correlationId, idempotencyKey } = call;
  return {
    user,
    resource: event.resource,
    path,
    header,
    correlationId,
    idempotencyKey,
    body: call.body as Body,
    query: call.query as Query,
    waitSeconds: waitSecondsOf(header('prefer')),
  };
}

function toAnswer({ status, body, headers, contentType }: ApiResponse): HttpAnswer {
  if (body === undefined) return { statusCode: status, body: '', headers: { ...headers } };
  return {
    statusCode: status,
    body: contentType === undefined ? JSON.stringify(body) : (body as string),
    headers: { 'Content-Type': contentType ?? 'application/json', ...headers },
  };
}
