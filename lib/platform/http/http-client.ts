import type { Interceptor } from '../effects.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON body; undefined where the body is empty or no JSON. */
  readonly body: unknown;
}

/** Sends one JSON request. Every network failure and time-out rejects: the outcome is then unknown. */
export type HttpClient = (request: HttpRequest) => Promise<HttpResponse>;

/** @param traceHeaders headers that link a call made now to its trace. */
export function createHttpClient(
  intercept: Interceptor,
  traceHeaders: () => Readonly<Record<string, string>>,
): HttpClient {
  return (request) =>
    intercept({ kind: 'http', operation: request.method, target: request.url }, async () => {
      const response = await fetch(request.url, {
        method: request.method,
        headers: { 'content-type': 'application/json', ...traceHeaders(), ...request.headers },
        signal: AbortSignal.timeout(request.timeoutMs),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      const text = await response.text();
      let body: unknown;
      try {
        body = JSON.parse(text);
      } catch {
        body = undefined;
      }
      return { status: response.status, headers: response.headers, body };
    });
}
