import type { HttpResponse } from '../../lib/platform/http/http-client.ts';
import { parseJson } from '../../lib/platform/parse-json.ts';
import { respondAtFunctionUrl } from '../../local/stack/function-url.ts';
import { type Request, RestApi } from '../../local/stack/rest-api.ts';
import { inventoryFunction, type ServiceDefinition } from '../../local/stack/service-definition.ts';

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

/** A front end of functions, without the network. */
export class Api {
  readonly #answer: (request: Request) => Promise<ApiResponse>;
  #requests = 0;

  private constructor(answer: (request: Request) => Promise<ApiResponse>) {
    this.#answer = answer;
  }

  /** The embedded stack's API Gateway. */
  static publicApi(service: ServiceDefinition, invoke: InvokeFunction): Api {
    const api = new RestApi(service, invoke);
    return new Api((request) => api.respond(request));
  }

  /** The function URL of the Inventory Service. */
  static inventoryUrl(service: ServiceDefinition, invoke: InvokeFunction): Api {
    const functionKey = inventoryFunction(service);
    return new Api((request) =>
      respondAtFunctionUrl(request, (event) => invoke(functionKey, event)),
    );
  }

  /** Sends a request and parses a JSON response. */
  async call(request: ApiRequest): Promise<HttpResponse> {
    const { statusCode, headers, body } = await this.respond(request);
    return { status: statusCode, headers: new Headers(headers), body: parseJson(body) };
  }

  /** Sends a request. If the function fails, the response is the front end's own 502. */
  respond({ method, path, headers = {}, body }: ApiRequest): Promise<ApiResponse> {
    this.#requests += 1;
    return this.#answer({
      requestId: `simulated-${String(this.#requests).padStart(8, '0')}`,
      method,
      url: path,
      headers: Object.entries({ 'content-type': 'application/json', ...headers }),
      body: body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
      sourceIp: '127.0.0.1',
    });
  }
}
