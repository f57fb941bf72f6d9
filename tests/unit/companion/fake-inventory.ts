import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Received {
  readonly method: string | undefined;
  /** Path and query as in the request. */
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface FakeInventory {
  readonly url: string;
  /** All complete requests, oldest first. */
  readonly received: readonly Received[];
  /** Answers all further requests, after their bodies are read; initially with 200 and `{}`. */
  answer: RequestListener;
  stop(): Promise<void>;
}

/** Starts a server in place of the Inventory Service, on a free port. */
export async function startFakeInventory(): Promise<FakeInventory> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const { method, url, headers } = request;
      received.push({ method, url, headers, body });
      inventory.answer(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const inventory: FakeInventory = {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    received,
    answer: (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return inventory;
}
