import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StepFunctionsError } from './errors.ts';
import type { Operation } from './operations.ts';
import { createStepFunctions, type StepFunctionsOptions } from './service.ts';

export interface StepFunctionsServerOptions extends StepFunctionsOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export interface StepFunctionsServer {
  readonly url: string;
  readonly port: number;
  stateMachineArn(name: string): string;
  /** Aborts running executions and closes all connections; nothing stays alive. */
  stop(): Promise<void>;
}

const CONTENT_TYPE = 'application/x-amz-json-1.0';
const TARGET_PREFIX = 'AWSStepFunctions.';
/** AWS's limit of a definition, 1 MiB, with room for its escaping as a JSON string. */
const LONGEST_BODY_BYTES = 3 * 1024 * 1024;

/**
 * Serves AWS Step Functions' JSON protocol over the embedded interpreter, in memory.
 * @throws StepFunctionsError if a state machine's definition is refused
 * @throws the listening socket's own error, such as EADDRINUSE
 */
export async function startStepFunctionsServer(
  options: StepFunctionsServerOptions,
): Promise<StepFunctionsServer> {
  const { host, port } = options;
  const service = createStepFunctions(options);
  const server = createHttpServer(service.operations);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    service.stop();
    throw error;
  }
  const address = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    service.stop();
    server.close();
    server.closeAllConnections();
    await closed;
  };
  let stopped: Promise<void> | undefined;
  return {
    url: `http://${host}:${address.port}`,
    port: address.port,
    stateMachineArn: (name) => service.stateMachineArn(name),
    stop: () => (stopped ??= stop()),
  };
}

function createHttpServer(operations: ReadonlyMap<string, Operation>): Server {
  return createServer((request, response) => {
    void answer(request, operations).then(({ status, body }) => {
      response
        .writeHead(status, { 'content-type': CONTENT_TYPE, 'x-amzn-requestid': randomUUID() })
        .end(JSON.stringify(body));
    });
  });
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answer(
  request: IncomingMessage,
  operations: ReadonlyMap<string, Operation>,
): Promise<Answer> {
  try {
    const body = await readBody(request);
    return { status: 200, body: findOperation(request, operations)(parse(body)) };
  } catch (error) {
    return error instanceof StepFunctionsError
      ? { status: 400, body: { __type: error.name, message: error.message } }
      : { status: 500, body: { __type: 'InternalFailure', message: String(error) } };
  }
}

function findOperation(
  request: IncomingMessage,
  operations: ReadonlyMap<string, Operation>,
): Operation {
  const target = String(request.headers['x-amz-target'] ?? '');
  const operation = target.startsWith(TARGET_PREFIX)
    ? operations.get(target.slice(TARGET_PREFIX.length))
    : undefined;
  if (operation === undefined) {
    throw new StepFunctionsError('UnknownOperationException', `Unknown operation '${target}'`);
  }
  return operation;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Read to the end all the same, so that the client can read the refusal.
    if (bytes <= LONGEST_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > LONGEST_BODY_BYTES) {
    throw new StepFunctionsError('ValidationException', 'The request is too large');
  }
  return Buffer.concat(chunks).toString();
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new StepFunctionsError('SerializationException', 'The request is not JSON', {
      cause: error,
    });
  }
}
