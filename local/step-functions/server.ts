import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../lib/platform/clock.ts';
import { StepFunctionsError } from './errors.ts';
import { ExecutionRegistry } from './execution-registry.ts';
import { installInterpreterScopes } from './interpreter.ts';
import type { Invoke } from './lambda-tasks.ts';
import { Arns } from './names.ts';
import { createOperations, type Operation } from './operations.ts';
import { StateMachines } from './state-machines.ts';
import { TaskTokens } from './tasks.ts';

/** How `invoke` rejects: Retry and Catch match its `name`. */
export interface LambdaFailure extends Error {
  readonly name: string;
}

export interface StepFunctionsServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Every wait, back-off, time-out and timestamp is on this clock. */
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  /** Invokes a Lambda function by its bare name; rejects with a LambdaFailure. */
  readonly invoke: Invoke;
  /** Created before the server answers. */
  readonly stateMachines?: readonly { readonly name: string; readonly definition: object }[];
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
  const { host, port, clock, region, accountId, invoke } = options;
  const arns = new Arns(region, accountId);
  const tokens = new TaskTokens();
  const stateMachines = new StateMachines(arns, clock);
  const executions = new ExecutionRegistry(arns, { clock, region, invoke, tokens });
  for (const { name, definition } of options.stateMachines ?? []) {
    const roleArn = `arn:aws:iam::${accountId}:role/${name}`;
    stateMachines.create(name, JSON.stringify(definition), roleArn);
  }

  const server = createHttpServer(createOperations({ stateMachines, executions, tokens }));
  server.listen(port, host);
  await once(server, 'listening');
  const uninstall = installInterpreterScopes();
  const address = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    executions.stopAll();
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    uninstall();
  };
  let stopped: Promise<void> | undefined;
  return {
    url: `http://${host}:${address.port}`,
    port: address.port,
    stateMachineArn: (name) => arns.stateMachine(name),
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
