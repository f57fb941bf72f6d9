import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import type * as z from 'zod';
import { MAX_WAIT_SECONDS } from '../../limits.ts';
import { pipeline } from '../lambda/pipeline.ts';
import { withTraceparent } from '../lambda/trace.ts';
import { type Call, callOf, type HttpAnswer, type User } from './call.ts';
import {
  type Access,
  type CallMiddleware,
  type Endpoint,
  isForPages,
  type RequestHeader,
} from './endpoint.ts';
import { finishAnswer } from './finish-answer.ts';
import { problemAnswer } from './problem-answer.ts';

export interface ApiRequest<Body, Query, Header extends RequestHeader> {
  /** The caller. Services and callers of public routes have an empty id and no scopes. */
  readonly user: User;
  /** Path template of the resource that API Gateway has matched: `/order/{orderId}`. */
  readonly resource: string;
  readonly body: Body;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Query;
  /** Looks up a header that the endpoint declares. */
  readonly header: (name: Header) => string | undefined;
  readonly correlationId: string;
  readonly idempotencyKey: string | undefined;
  /** From `Prefer: wait=N`, clamped to 10; 0 if the caller does not want to wait or the endpoint lacks `Prefer`. */
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

/** Access without a token; one that is sent is ignored. */
export const forEveryone: Access = { callers: 'public' };

/**
 * Makes the Lambda of one route. `respond` sees only well-formed requests of known callers and may throw any
 * DomainError. The checks run in this order: access, signature, body, query, idempotency.
 */
export function apiHandler<
  BodySchema extends z.ZodType = z.ZodUndefined,
  QuerySchema extends z.ZodType = z.ZodUndefined,
  Header extends RequestHeader = never,
>(
  endpoint: Endpoint<BodySchema, QuerySchema, Header>,
  respond: (
    request: ApiRequest<z.infer<BodySchema>, z.infer<QuerySchema>, Header>,
  ) => Promise<ApiResponse>,
) {
  const { route, access, signature, body, query, idempotency, headers = [] } = endpoint;
  const readsPrefer = (headers as readonly RequestHeader[]).includes('Prefer');
  const parts = [access, signature, body, query, idempotency].filter((part) => part !== undefined);
  const run = pipeline<Call, HttpAnswer>()
    .use([problemAnswers, ...parts.flatMap(({ middleware }) => middleware ?? [])])
    .handler((call: Call, context: Context) => {
      const answer = async () =>
        toAnswer(
          await respond({
            ...call,
            resource: call.event.resource,
            // Parsed by the schemas above; a part that is not declared is undefined, as its type says.
            body: call.body as z.infer<BodySchema>,
            query: call.query as z.infer<QuerySchema>,
            waitSeconds: readsPrefer ? waitSecondsOf(call.header('prefer')) : 0,
          }),
        );
      return idempotency === undefined ? answer() : idempotency.answer(call, context, answer);
    });
  const handler = (
    event: APIGatewayProxyEvent,
    context: Context,
  ): Promise<APIGatewayProxyResult> => {
    const call = callOf(route, event);
    return withTraceparent(call.header('traceparent'), async () =>
      finishAnswer(call, await run(call, context), isForPages(endpoint)),
    );
  };
  return Object.assign(handler, { endpoint });
}

/** Answers every error with a problem document. */
const problemAnswers: CallMiddleware = {
  onError: (request) => {
    request.response = problemAnswer(request.error, request.event);
  },
};

/** Seconds of `Prefer: wait=N` (RFC 7240), clamped to 10; 0 if the caller does not want to wait. */
function waitSecondsOf(prefer: string | undefined): number {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?/i.exec(prefer ?? '');
  return Math.min(Number(match?.[1] ?? 0), MAX_WAIT_SECONDS);
}

function toAnswer({ status, body, headers, contentType }: ApiResponse): HttpAnswer {
  if (body === undefined) return { statusCode: status, body: '', headers: { ...headers } };
  return {
    statusCode: status,
    body: contentType === undefined ? JSON.stringify(body) : (body as string),
    headers: { 'Content-Type': contentType ?? 'application/json', ...headers },
  };
}
