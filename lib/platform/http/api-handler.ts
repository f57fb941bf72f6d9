import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import type * as z from 'zod';
import { type PathIdsOf, pathIdsOf } from '../../outside-ids.ts';
import { loggerFor } from '../lambda/logging.ts';
import { finishAnswer } from './answer-headers.ts';
import {
  type Access,
  type ApiResponse,
  type Call,
  type Endpoint,
  type HttpAnswer,
  isForPages,
  NOBODY,
  type User,
} from './endpoint.ts';
import { withTraceparent } from './http-client.ts';
import { problemAnswer } from './problem-answer.ts';
import { callOf, rawBodyOf, readBody, readQuery, tokenOf, waitSecondsOf } from './read-request.ts';

export interface ApiRequest<Body, Query, Header extends string, Route extends string = string> {
  /** The caller. Services and callers of public routes have an empty id and no scopes. */
  readonly user: User;
  /** Path template of the resource that API Gateway has matched: `/thing/{thingId}`. */
  readonly resource: string;
  readonly body: Body;
  /** Ids in the path, each of the form that its kind has. */
  readonly path: PathIdsOf<Route>;
  readonly query: Query;
  /** Looks up a header that the endpoint declares. */
  readonly header: (name: Header) => string | undefined;
  readonly correlationId: string;
  readonly idempotencyKey: string | undefined;
  /** From `Prefer: wait=N`, clamped to `MAX_WAIT_SECONDS`; 0 if the caller does not want to wait or the endpoint lacks `Prefer`. */
  readonly waitSeconds: number;
}

/** Access without a token; one that is sent is ignored. */
export const forEveryone: Access = { callers: 'public' };

/**
 * Makes the Lambda of one route. `respond` sees only well-formed requests of known callers and may throw any
 * DomainError. Checks come one after another: access, signature, ids in the path, body, query, idempotency key.
 */
export function apiHandler<
  BodySchema extends z.ZodType = z.ZodUndefined,
  QuerySchema extends z.ZodType = z.ZodUndefined,
  Header extends string = never,
  const Route extends string = string,
>(
  endpoint: Endpoint<BodySchema, QuerySchema, Header> & { readonly route: Route },
  respond: (
    request: ApiRequest<z.infer<BodySchema>, z.infer<QuerySchema>, Header, Route>,
  ) => Promise<ApiResponse>,
) {
  const { route, access, signature, body, query, idempotency, headers = [] } = endpoint;
  const readsPrefer = (headers as readonly string[]).includes('Prefer');
  const isOpenToPages = isForPages(endpoint);

  async function answerTo(call: Call, context: Context): Promise<HttpAnswer> {
    const { event, header, correlationId } = call;
    const user = (await access.authenticate?.(tokenOf(call, access))) ?? NOBODY;
    await signature?.(rawBodyOf(event), header);
    const path = pathIdsOf<Route>(event.pathParameters ?? {});
    const request = {
      user,
      resource: event.resource,
      path,
      // A part that is not declared is undefined, as its type says.
      body: (body && readBody(body, event)) as z.infer<BodySchema>,
      query: (query && readQuery(query, event)) as z.infer<QuerySchema>,
      header,
      correlationId,
      idempotencyKey: idempotency?.keyOf(call),
      waitSeconds: readsPrefer ? waitSecondsOf(call) : 0,
    };
    const key = request.idempotencyKey;
    if (idempotency === undefined || key === undefined) return toAnswer(await respond(request));
    const keyed = { route, userId: user.userId, key, content: { path, body: request.body } };
    return idempotency.answer(keyed, context, async () => {
      try {
        return toAnswer(await respond(request));
      } catch (error) {
        // A problem is an answer, too: some are stored.
        return refusal(error, call);
      }
    });
  }

  function refusal(error: unknown, call: Call): HttpAnswer {
    access.countRefused?.(error, call, access);
    idempotency?.countDuplicate(error, call);
    return problemAnswer(error, call);
  }

  const handler = (event: APIGatewayProxyEvent, context: Context) => {
    const call = callOf(route, event);
    logOwnCorrelation(call, access);
    return withTraceparent(call.header('traceparent'), async () => {
      const answer = await answerTo(call, context).catch((error: unknown) => refusal(error, call));
      return finishAnswer(call, answer, isOpenToPages);
    });
  };
  return Object.assign(handler, { endpoint });
}

/**
 * Joins API Gateway's access log, which has its own id of each request, with the lines of a caller's own correlation
 * id. Services call past API Gateway.
 */
function logOwnCorrelation({ correlationId, requestId, route }: Call, { callers }: Access): void {
  if (callers === 'service' || requestId === '' || correlationId === requestId) return;
  loggerFor({ correlationId, route }).info('Request correlated', { requestId });
}

function toAnswer({ status, body, headers, contentType }: ApiResponse): HttpAnswer {
  if (body === undefined) return { statusCode: status, body: '', headers: { ...headers } };
  return {
    statusCode: status,
    body: contentType === undefined ? JSON.stringify(body) : (body as string),
    headers: { 'Content-Type': contentType ?? 'application/json', ...headers },
  };
}
