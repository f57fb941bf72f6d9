import type { Clock } from '../../lib/platform/clock.ts';
import type { Interceptor } from '../../lib/platform/effects.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../../lib/platform/http/http-client.ts';

/** Answers requests below one URL; rejects if no answer comes. */
export type Host = (request: HttpRequest) => Promise<HttpResponse>;

export interface NetworkOptions {
  readonly clock: Clock;
  readonly intercept: Interceptor;
  /** Hosts by base URL. */
  readonly hosts: Readonly<Record<string, Host>>;
  /** Runs a function outside the caller's async context. */
  readonly detached: <Result>(work: () => Result) => Result;
}

/** HTTP client for the handlers: hosts are in this process, and time-outs use the world's clock. */
export function networkClient({ clock, intercept, hosts, detached }: NetworkOptions): HttpClient {
  return (request) =>
    intercept({ kind: 'http', operation: request.method, target: request.url }, () => {
      const host = Object.entries(hosts).find(([url]) => request.url.startsWith(url))?.[1];
      if (host === undefined) return Promise.reject(new TypeError('fetch failed'));
      return within(
        clock,
        request.timeoutMs,
        detached(() => host(request)),
      );
    });
}

/** Rejects as an AbortSignal's time-out does if the promise is not settled by then. */
function within<Result>(clock: Clock, ms: number, promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(ms, () => {
      reject(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    });
    promise.finally(cancel).then(resolve, reject);
  });
}
