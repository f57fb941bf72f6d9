import { type Answer, type JsonServer, startJsonServer } from '../aws/json-server.ts';
import { StepFunctionsError } from './errors.ts';
import type { Operation } from './operations.ts';
import { createStepFunctions, type StepFunctionsOptions } from './service.ts';

export interface StepFunctionsServerOptions extends StepFunctionsOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export interface StepFunctionsServer extends JsonServer {
  readonly url: string;
  stateMachineArn(name: string): string;
  /** Aborts running executions and closes all connections. */
  stop(): Promise<void>;
}

const TARGET_PREFIX = 'AWSStepFunctions.';
/** AWS's limit of a definition, 1 MiB, with room for escaping as a JSON string. */
const LONGEST_BODY_BYTES = 3 * 1024 * 1024;

/**
 * Serves AWS Step Functions' JSON protocol over the embedded interpreter, in memory.
 * @throws StepFunctionsError if a state machine's definition is refused.
 * @throws the listening socket's own error, such as EADDRINUSE.
 */
export async function startStepFunctionsServer(
  options: StepFunctionsServerOptions,
): Promise<StepFunctionsServer> {
  const { host, port } = options;
  const service = createStepFunctions(options);
  let server: JsonServer;
  try {
    server = await startJsonServer({
      host,
      port,
      longestBody: LONGEST_BODY_BYTES,
      perform: (target, request) => findOperation(target, service.operations)(request),
      refuse,
    });
  } catch (error) {
    service.stop();
    throw error;
  }
  return {
    ...server,
    url: `http://${host}:${server.port}`,
    stateMachineArn: (name) => service.stateMachineArn(name),
    stop: () => {
      service.stop();
      return server.stop();
    },
  };
}

function refuse(error: unknown): Answer {
  return error instanceof StepFunctionsError
    ? { status: 400, body: { __type: error.name, message: error.message } }
    : { status: 500, body: { __type: 'InternalFailure', message: String(error) } };
}

function findOperation(target: string, operations: ReadonlyMap<string, Operation>): Operation {
  const operation = target.startsWith(TARGET_PREFIX)
    ? operations.get(target.slice(TARGET_PREFIX.length))
    : undefined;
  if (operation === undefined) {
    throw new StepFunctionsError('UnknownOperationException', `Unknown operation '${target}'`);
  }
  return operation;
}
