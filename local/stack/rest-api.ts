import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { ApiRoutes, MalformedPath, type Route } from './api-routes.ts';
import { GatewayResponses, type HttpResponse } from './gateway-responses.ts';
import { Throttled } from './lambda-runtime.ts';
import type { ServiceDefinition } from './service-definition.ts';

export interface Request {
  readonly requestId: string;
  readonly method: string;
  /** Path and query string. */
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The whole body; undefined if it exceeds API Gateway's limit. */
  readonly body: string | undefined;
  readonly sourceIp: string;
}

type Invoke = (functionKey: string, event: APIGatewayProxyEvent) => Promise<unknown>;

/** Response headers that API Gateway renames. A function here sends only this one of them. */
const RENAMED: Readonly<Record<string, string>> = {
  'www-authenticate': 'x-amzn-Remapped-WWW-Authenticate',
};

/** An API Gateway REST API with Lambda proxy integrations, without the network. */
export class RestApi {
  readonly #routes: ApiRoutes;
  readonly #responses: GatewayResponses;
  readonly #invoke: Invoke;
  readonly #stage: string;

  constructor(service: ServiceDefinition, invoke: Invoke) {
    this.#routes = new ApiRoutes(service);
    this.#responses = new GatewayResponses(service);
    this.#invoke = invoke;
    this.#stage = service.provider.stage;
  }

  async respond(request: Request): Promise<HttpResponse> {
    const [path = '/', query = ''] = request.url.split(/\?(.*)/s);
    const own = (type: string, status: number) =>
      this.#responses.render(type, status, { path, requestId: request.requestId });
    if (request.body === undefined) return own('REQUEST_TOO_LARGE', 413);
    let route: Route | undefined;
    try {
      route = this.#routes.find(request.method, path);
    } catch (error) {
      if (error instanceof MalformedPath) return own('DEFAULT_4XX', 400);
      throw error;
    }
    if (route === undefined) return own('MISSING_AUTHENTICATION_TOKEN', 403);
    try {
      const event = eventOf(request, route, path, new URLSearchParams(query), this.#stage);
      return proxied(await this.#invoke(route.functionKey, event));
    } catch (error) {
      // Lambda's log has the failed invocation. A time-out is a failure like others.
      if (error instanceof MalformedResult) console.error(error);
      if (error instanceof Throttled) return own('INTEGRATION_FAILURE', 500);
      return own('DEFAULT_5XX', 502);
    }
  }
}

/** Thrown if a function's answer does not have API Gateway's format. */
class MalformedResult extends Error {
  override readonly name = 'MalformedResult';
}

/** Response from a function's answer. @throws MalformedResult */
function proxied(result: unknown): HttpResponse {
  const { statusCode, headers = {}, body = '' } = (result ?? {}) as Partial<APIGatewayProxyResult>;
  if (typeof statusCode !== 'number' || typeof body !== 'string') {
    throw new MalformedResult(`A function answered ${JSON.stringify(result)}.`);
  }
  const named = Object.entries(headers).map(([name, value]) => [
    RENAMED[name.toLowerCase()] ?? name,
    String(value),
  ]);
  const hasType = named.some(([name]) => name?.toLowerCase() === 'content-type');
  return {
    statusCode,
    headers: {
      ...(hasType ? {} : { 'Content-Type': 'application/json' }),
      ...(Object.fromEntries(named) as Record<string, string>),
    },
    body,
  };
}

function eventOf(
  { requestId, method, headers, body, sourceIp }: Request,
  { resource, pathParameters }: Route,
  path: string,
  query: URLSearchParams,
  stage: string,
): APIGatewayProxyEvent {
  const last = Object.fromEntries(headers);
  const nowMs = Date.now();
  return {
    resource,
    path,
    httpMethod: method,
    headers: last,
    multiValueHeaders: listsOf(headers),
    queryStringParameters: query.size === 0 ? null : Object.fromEntries(query),
    multiValueQueryStringParameters: query.size === 0 ? null : listsOf([...query]),
    pathParameters,
    stageVariables: null,
    body: body === undefined || body === '' ? null : body,
    isBase64Encoded: false,
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      authorizer: null,
      protocol: 'HTTP/1.1',
      httpMethod: method,
      identity: {
        ...NOBODY,
        sourceIp,
        userAgent: last['User-Agent'] ?? last['user-agent'] ?? null,
      },
      path,
      stage,
      requestId,
      requestTimeEpoch: nowMs,
      resourceId: 'local',
      resourcePath: resource,
    },
  };
}

function listsOf(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  // By a Map: a name such as __proto__ or constructor is a name like any other.
  const byName = Map.groupBy(pairs, ([name]) => name);
  return Object.fromEntries(
    [...byName].map(([name, group]) => [name, group.map(([, value]) => value)]),
  );
}

const NOBODY = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userArn: null,
};
