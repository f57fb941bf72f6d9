import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { HttpResponse } from '../../lib/platform/http-client.ts';
import { failedInvocation } from '../../local/stack/api-gateway.ts';
import { eventsOf, type ServiceDefinition } from '../../local/stack/service-definition.ts';

/** Invokes a function by its key. */
export type InvokeFunction = (functionKey: string, event: unknown) => Promise<unknown>;

export interface ApiRequest {
  readonly method: string;
  /** With its query, if it has one. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

export type ApiResponse = Pick<APIGatewayProxyResult, 'statusCode' | 'headers' | 'body'>;

interface Route {
  readonly functionKey: string;
  /** In upper case; `ANY` takes all. */
  readonly method: string;
  readonly template: string;
  readonly pattern: RegExp;
}

/** API Gateway with Lambda proxy integration, without the network: the routes of serverless.yml. */
export class Api {
  readonly #routes: readonly Route[];
  readonly #invoke: InvokeFunction;

  constructor(service: ServiceDefinition, invoke: InvokeFunction) {
    this.#invoke = invoke;
    this.#routes = eventsOf(service, 'http')
      .map(({ key, event }) => ({
        functionKey: key,
        method: event.method.toUpperCase(),
        template: event.path,
        pattern: patternOf(event.path),
      }))
      .sort((a, b) => parametersIn(a.template) - parametersIn(b.template));
  }

  /** Sends a request; a JSON body of the response comes parsed. */
  async call(request: ApiRequest): Promise<HttpResponse> {
    const { statusCode, headers, body } = await this.respond(request);
    return {
      status: statusCode,
      headers: new Headers(headers as Record<string, string>),
      body: parseJson(body),
    };
  }

  /** Sends a request. A function that fails gets API Gateway's own response: 502, or 504 for a time-out. */
  async respond(request: ApiRequest): Promise<ApiResponse> {
    const [path = '/', query = ''] = request.path.split(/\?(.*)/s);
    const route = this.#routes.find(
      ({ method, pattern }) =>
        (method === request.method || method === 'ANY') && pattern.test(path),
    );
    if (route === undefined) throw new Error(`No route takes ${request.method} ${path}.`);
    const event = eventOf(request, route, path, new URLSearchParams(query));
    try {
      return (await this.#invoke(route.functionKey, event)) as APIGatewayProxyResult;
    } catch (error) {
      return failedInvocation(error);
    }
  }
}

function eventOf(
  { method, headers = {}, body }: ApiRequest,
  { template, pattern }: Route,
  path: string,
  query: URLSearchParams,
): Partial<APIGatewayProxyEvent> {
  return {
    httpMethod: method,
    path,
    resource: template,
    headers: { 'content-type': 'application/json', ...headers },
    pathParameters: parametersOf(pattern.exec(path)?.groups),
    queryStringParameters: query.size === 0 ? null : Object.fromEntries(query),
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    isBase64Encoded: false,
  };
}

function parametersOf(groups: Readonly<Record<string, string>> | undefined) {
  if (groups === undefined) return null;
  return Object.fromEntries(
    Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]),
  );
}

/** `{name}` is one segment of a path, `{name+}` the rest of it. */
function patternOf(template: string): RegExp {
  const pattern = template
    .replaceAll(/\{(\w+)\+\}/g, '(?<$1>.+)')
    .replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${pattern}$`);
}

/** Where several routes fit, the most literal one is meant; one that takes any path comes last. */
function parametersIn(template: string): number {
  return (template.match(/\{/g)?.length ?? 0) + (template.includes('+}') ? 100 : 0);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
