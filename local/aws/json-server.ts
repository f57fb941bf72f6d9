import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SERVER_OPTIONS } from '../server-options.ts';

/** A request's answer: its HTTP status, and its body before it becomes JSON. */
export interface Answer {
  readonly status: number;
  readonly body: object;
}

export interface JsonServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Longest request body in bytes; the server refuses a longer one. */
  readonly longestBody: number;
  /** Performs the operation that X-Amz-Target names. */
  readonly perform: (target: string, request: unknown) => object | Promise<object>;
  /** Answer to a request whose operation threw. */
  readonly refuse: (error: unknown) => Answer;
}

export interface JsonServer {
  readonly port: number;
  /**
   * Answers a request that is in this process already, as the server would.
   * @param target the value of X-Amz-Target.
   */
  answer(target: string, body: string): Promise<Answer>;
  /** Closes all connections. @returns a promise that resolves when nothing listens any more. */
  stop(): Promise<void>;
}

/** Thrown if a request does not follow the protocol; `type` is the error's name on the wire. */
class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly type: string;

  constructor(type: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
}

const CONTENT_TYPE = 'application/x-amz-json-1.0';

/**
 * Serves AWS's JSON 1.0 protocol, which the SDK's clients for DynamoDB and Step Functions speak.
 * @throws the listening socket's own error, such as EADDRINUSE
 */
export async function startJsonServer(options: JsonServerOptions): Promise<JsonServer> {
  const server = createHttpServer(options);
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  let stopped: Promise<void> | undefined;
  return {
    port,
    answer: (target, body) => answer(target, () => body, options),
    stop: () => (stopped ??= stop()),
  };
}

function createHttpServer(options: JsonServerOptions): Server {
  return createServer(SERVER_OPTIONS, (request, response) => {
    const target = String(request.headers['x-amz-target'] ?? '');
    const read = () => readBody(request, options.longestBody);
    void answer(target, read, options).then(({ status, body }) => {
      response
        .writeHead(status, { 'content-type': CONTENT_TYPE, 'x-amzn-requestid': randomUUID() })
        .end(JSON.stringify(body));
    });
  });
}

async function answer(
  target: string,
  read: () => string | Promise<string>,
  { perform, refuse }: JsonServerOptions,
): Promise<Answer> {
  try {
    return { status: 200, body: await perform(target, parse(await read())) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) return refuse(error);
    return { status: 400, body: { __type: error.type, message: error.message } };
  }
}

async function readBody(request: IncomingMessage, longestBody: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Reads a body that is too long to its end, so that the client can read the refusal.
    if (bytes <= longestBody) chunks.push(chunk);
  }
  if (bytes > longestBody) {
    throw new ProtocolError('ValidationException', 'The request is too large');
  }
  return Buffer.concat(chunks).toString();
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new ProtocolError('SerializationException', 'The request is not JSON', { cause: error });
  }
}
