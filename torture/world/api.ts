import type { HttpResponse } from '../../lib/platform/http/http-client.ts';
import { RestApi } from '../../local/stack/rest-api.ts';
import type { ServiceDefinition } from '../../local/stack/service-definition.ts';

/** Invokes a function by its key. */
export type InvokeFunction = (functionKey: string, event: unknown) => Promise<unknown>;

export interface ApiRequest {
  readonly method: string;
  /** Includes the query, if there is one. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent unchanged, anything else as JSON. */
  readonly body?: unknown;
}

export type ApiResponse = Awaited<ReturnType<RestApi['respond']>>;

/** The embedded stack's API Gateway, without the network. */
export class Api {
  readonly #api: RestApi;

  constructor(service: ServiceDefinition, invoke: InvokeFunction) {
    this.#api = new RestApi(service, invoke);
  }

  /** Sends a request and parses a JSON response. */
  async call(request: ApiRequest): Promise<HttpResponse> {
    const { statusCode, headers, body } = await this.respond(request);
    return { status: statusCode, headers: new Headers(headers), body: parseJson(body) };
  }

  /** Sends a request. If the function fails, the response is API Gateway's own 502. */
  respond({ method, path, headers = {}, body }: ApiRequest): Promise<ApiResponse> {
    return this.#api.respond({
      requestId: 'simulated',
      method,
      url: path,
      headers: Object.entries({ 'content-type': 'application/json', ...headers }),
      body: body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
      sourceIp: '127.0.0.1',
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
