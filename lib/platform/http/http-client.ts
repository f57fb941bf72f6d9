import { AsyncLocalStorage } from 'node:async_hooks';
import type { Interceptor } from '../effects.ts';
import { environment } from '../environment.ts';

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

/**
 * Sends one JSON request, as part of the trace of this invocation. Every network failure and time-out rejects: the
 * outcome is then unknown.
 */
export type HttpClient = (request: HttpRequest) => Promise<HttpResponse>;

export function createHttpClient(intercept: Interceptor): HttpClient {
  return (request) =>
    intercept({ kind: 'http', operation: request.method, target: request.url }, async () => {
      const { method, url, sign } = request;
      const content = request.body === undefined ? undefined : JSON.stringify(request.body);
      const response = await fetch(url, {
        method,
        // A redirect is no answer, and another host is to get neither credential nor body.
        redirect: 'error',
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

/** W3C Trace Context: version, trace id, parent id, flags; an id of zeros only is not valid. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

const incoming = new AsyncLocalStorage<string>();

/** Runs one request. Its outgoing calls carry its `traceparent` if that is well-formed. */
export function withTraceparent<Result>(
  traceparent: string | undefined,
  run: () => Promise<Result>,
): Promise<Result> {
  return traceparent !== undefined && TRACEPARENT.test(traceparent)
    ? incoming.run(traceparent, run)
    : run();
}

/**
 * Headers that link an outgoing call to the trace of this invocation; none outside a trace.
 * @param xrayHeader `Root=1-…;Parent=…;Sampled=1`. Default: the one that Lambda sets for each invocation.
 */
export function traceHeaders(
  xrayHeader = environment['_X_AMZN_TRACE_ID'] ?? '',
): Readonly<Record<string, string>> {
  const given = incoming.getStore();
  if (xrayHeader === '') return given === undefined ? {} : { traceparent: given };
  const traceparent = given ?? traceparentOf(xrayHeader);
  return { 'x-amzn-trace-id': xrayHeader, ...(traceparent === undefined ? {} : { traceparent }) };
}

/** Converts X-Ray's header to W3C's form, which joins the two halves of X-Ray's root. */
function traceparentOf(xrayHeader: string): string | undefined {
  const fields = new Map(
    xrayHeader
      .split(';')
      .map((field) => field.trim().split('=', 2) as [string, string | undefined]),
  );
  const [, epoch, unique] = /^1-([\da-f]{8})-([\da-f]{24})$/i.exec(fields.get('Root') ?? '') ?? [];
  if (epoch === undefined || unique === undefined) return undefined;
  const flags = fields.get('Sampled') === '1' ? '01' : '00';
  const traceparent = `00-${epoch}${unique}-${fields.get('Parent') ?? ''}-${flags}`.toLowerCase();
  return TRACEPARENT.test(traceparent) ? traceparent : undefined;
}
