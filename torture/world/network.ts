import type { Clock } from '../../lib/platform/clock.ts';
import type { Interceptor } from '../../lib/platform/effects.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../../lib/platform/http/http-client.ts';

/** Answers requests below one URL; rejects where no answer comes. */
export type Host = (request: HttpRequest) => Promise<HttpResponse>;

export interface NetworkOptions {
  readonly clock: Clock;
  readonly intercept: Interceptor;
  /** By the URL that their own begin with. */
  readonly hosts: Readonly<Record<string, Host>>;
  /** Runs what it is given as if nobody had called for it. */
  readonly detached: <Result>(work: () => Result) => Result;
}

/** The handlers' HTTP client, in whose world all hosts are in this process and time-outs on the clock. */
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

/** Rejects as an AbortSignal's time-out does where the promise has not settled by then. */
function within<Result>(clock: Clock, ms: number, promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(ms, () => {
      reject(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    });
    promise.finally(cancel).then(resolve, reject);
  });
}
