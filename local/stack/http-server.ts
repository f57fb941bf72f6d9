import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SERVER_OPTIONS } from '../server-options.ts';
import type { HttpResponse } from './gateway-responses.ts';
import type { Request } from './rest-api.ts';

export interface HttpServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxBodyBytes: number;
  readonly respond: (request: Request) => Promise<HttpResponse>;
}

/** Time that running calls get before a stop cuts them off. */
const STOP_TIMEOUT_MS = 2000;

/** Serves what stands in front of functions, with no header of its own. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer(SERVER_OPTIONS, (request, response) => {
    void serve(options, request, response);
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const cutOff = setTimeout(() => {
        server.closeAllConnections();
      }, STOP_TIMEOUT_MS);
      await closed;
      clearTimeout(cutOff);
    },
  };
}

async function serve(
  { respond, maxBodyBytes }: HttpServerOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    const request = requestOf(incoming, await readBody(incoming, maxBodyBytes));
    const { statusCode, headers, body } = await respond(request);
    const length = Buffer.byteLength(body);
    outgoing.writeHead(
      statusCode,
      length === 0 ? headers : { ...headers, 'Content-Length': length },
    );
    outgoing.end(incoming.method === 'HEAD' ? undefined : body);
  } catch (error) {
    const hasCallerLeft = !incoming.complete;
    if (!hasCallerLeft) console.error(error);
    outgoing.destroy();
  }
}

/** Reads the body to its end, so that the caller sees the answer; undefined if it is too large. */
async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks);
}

function requestOf(incoming: IncomingMessage, body: Buffer | undefined): Request {
  const { method = 'GET', url = '/', rawHeaders, socket } = incoming;
  return {
    requestId: randomUUID(),
    method,
    url,
    headers: pairs(rawHeaders),
    // Bodies are text: API Gateway has no binary media types, and callers of function URLs send JSON.
    body: body?.toString('utf8'),
    sourceIp: socket.remoteAddress ?? '',
  };
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  return rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : [],
  );
}
