import { databaseClient } from '../../lib/platform/dynamo/database-client.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';

/** A request to DynamoDB as it went over the wire. */
export interface StoreRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface WireRequest {
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array;
}

/** Records from now on every request of the handlers to DynamoDB, in order. */
export function recordStoreRequests(): StoreRequest[] {
  const requests: StoreRequest[] = [];
  databaseClient(currentRuntime().aws).middlewareStack.add(
    (next) => (args) => {
      const { headers, body } = args.request as WireRequest;
      const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
      requests.push({ headers, body: text });
      return next(args);
    },
    { step: 'deserialize', name: 'recordStoreRequests' },
  );
  return requests;
}

/** The id of the order that a request is about; requests about none wait for none. */
const ORDER_ID = /ord_[0-9a-zA-Z]+/;

/**
 * Sends recorded requests to a store that holds the same products and nothing else, with as many in flight as there
 * were clients. Requests of one order keep their sequence, so that their conditions hold as they did.
 * @returns seconds that it took, and the share of the requests that the store refused.
 */
export async function replay(
  url: string,
  requests: readonly StoreRequest[],
  concurrency: number,
): Promise<{ readonly seconds: number; readonly refusedShare: number }> {
  const sequences = new Map<string, StoreRequest[]>();
  for (const [index, request] of requests.entries()) {
    const about = ORDER_ID.exec(request.body)?.[0] ?? `request ${String(index)}`;
    const sequence = sequences.get(about);
    if (sequence === undefined) sequences.set(about, [request]);
    else sequence.push(request);
  }
  const left = [...sequences.values()].reverse();
  let refused = 0;
  const beganAtMs = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let sequence = left.pop(); sequence !== undefined; sequence = left.pop()) {
        for (const { headers, body } of sequence) {
          const response = await fetch(url, { method: 'POST', headers: sendable(headers), body });
          await response.arrayBuffer();
          if (!response.ok) refused += 1;
        }
      }
    }),
  );
  const seconds = (performance.now() - beganAtMs) / 1000;
  return { seconds, refusedShare: refused / requests.length };
}

/** `fetch` sets these by itself, and takes none of them. */
function sendable(headers: StoreRequest['headers']): Record<string, string> {
  const { host: _host, 'content-length': _length, connection: _connection, ...rest } = headers;
  return rest;
}
