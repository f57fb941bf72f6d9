import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { SERVER_OPTIONS } from '../server-options.ts';
import { type Request, RestApi } from './rest-api.ts';
import type { ServiceDefinition } from './service-definition.ts';

export interface ApiGateway {
  readonly port: number;
  stop(): Promise<void>;
}

export interface ApiGatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly service: ServiceDefinition;
  /** Invokes a function by its key; rejects if the invocation fails. */
  readonly invoke: (functionKey: string, event: APIGatewayProxyEvent) => Promise<unknown>;
}

/** API Gateway's limit, in bytes. */
const MAX_PAYLOAD_BYTES = 10 * 1024 * 1024;
/** Time that running calls get before a stop cuts them off. */
const STOP_TIMEOUT_MS = 2000;

/**
 * Serves the `http` events over HTTP exactly as the packaged API does, with no additional header, method or
 * status.
 */
export async function startApiGateway(options: ApiGatewayOptions): Promise<ApiGateway> {
  const { host, port, service, invoke } = options;
  const api = new RestApi(service, invoke);
  const server = createServer(SERVER_OPTIONS, (request, response) => {
    void serve(api, request, response);
  });
  server.listen(port, host);
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
  api: RestApi,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    const request = requestOf(incoming, await readBody(incoming));
    const { statusCode, headers, body } = await api.respond(request);
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
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_PAYLOAD_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_PAYLOAD_BYTES ? undefined : Buffer.concat(chunks);
}

function requestOf(incoming: IncomingMessage, body: Buffer | undefined): Request {
  const { method = 'GET', url = '/', rawHeaders, socket } = incoming;
  return {
    requestId: randomUUID(),
    method,
    url,
    headers: pairs(rawHeaders),
    // Without binary media types, API Gateway treats every body as text.
    body: body?.toString('utf8'),
    sourceIp: socket.remoteAddress ?? '',
  };
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  return rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : [],
  );
}
