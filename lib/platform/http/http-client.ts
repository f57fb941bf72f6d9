import type { Interceptor } from '../effects.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs: number;
  /** Adds headers that prove who sends exactly this request. */
  readonly sign?: RequestSigner;
}

/** Returns the headers of a signature. */
export type RequestSigner = (request: {
  readonly method: string;
  readonly url: string;
  /** The body as it is sent. */
  readonly body: string | undefined;
}) => Promise<Readonly<Record<string, string>>>;

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
      const { method, url, sign } = request;
      const content = request.body === undefined ? undefined : JSON.stringify(request.body);
      const response = await fetch(url, {
        method,
        headers: {
          'content-type': 'application/json',
          ...traceHeaders(),
          ...request.headers,
          ...(await sign?.({ method, url, body: content })),
        },
        signal: AbortSignal.timeout(request.timeoutMs),
        ...(content === undefined ? {} : { body: content }),
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
