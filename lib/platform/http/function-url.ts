import type {
  APIGatewayProxyEvent,
  APIGatewayProxyResult,
  Context,
  LambdaFunctionURLEvent,
} from 'aws-lambda';
import type { Endpoint } from './endpoint.ts';

interface RouteHandler {
  (event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult>;
  readonly endpoint: Endpoint;
}

/**
 * Makes the Lambda behind a function URL, which leads every method and path to one function: each request goes to
 * the handler that declares its route.
 * @param routes values of their path parameters consist of letters, digits, `-` and `_`.
 * @param otherwise answers every other method and path.
 */
export function functionUrlHandler(routes: readonly RouteHandler[], otherwise: RouteHandler) {
  const patterns = routes.map((route) => {
    const pattern = route.endpoint.route.replaceAll(/\{(\w+)\}/g, '(?<$1>[\\w-]+)');
    return { route, pattern: new RegExp(`^${pattern}$`) };
  });
  const handler = (
    event: LambdaFunctionURLEvent,
    context: Context,
  ): Promise<APIGatewayProxyResult> => {
    const request = `${event.requestContext.http.method} ${event.rawPath}`;
    for (const { route, pattern } of patterns) {
      const match = pattern.exec(request);
      if (match !== null) return route(asApiEvent(event, route, match.groups ?? {}), context);
    }
    return otherwise(asApiEvent(event, otherwise, {}), context);
  };
  return Object.assign(handler, { endpoints: routes.map(({ endpoint }) => endpoint) });
}

/** Converts payload format 2.0 to API Gateway's, as far as the handlers read it. */
function asApiEvent(
  { requestContext, rawPath, ...event }: LambdaFunctionURLEvent,
  { endpoint }: RouteHandler,
  pathParameters: Record<string, string>,
): APIGatewayProxyEvent {
  const converted: Partial<APIGatewayProxyEvent> = {
    resource: endpoint.route.replace(/^\S+ /, ''),
    httpMethod: requestContext.http.method,
    path: rawPath,
    pathParameters,
    headers: event.headers,
    requestContext: {
      requestId: requestContext.requestId,
      identity: { sourceIp: requestContext.http.sourceIp },
    } as APIGatewayProxyEvent['requestContext'],
    queryStringParameters: event.queryStringParameters ?? null,
    body: event.body ?? null,
    isBase64Encoded: event.isBase64Encoded,
  };
  return converted as APIGatewayProxyEvent;
}
