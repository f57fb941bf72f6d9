import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Effect, Interceptor } from './effects.ts';
import { tracer } from './tracing.ts';

export interface AwsClients {
  /** The plain client, for libraries that bring their own marshalling. */
  readonly dynamo: DynamoDBClient;
  readonly documents: DynamoDBDocumentClient;
  readonly queues: SQSClient;
  readonly stateMachines: SFNClient;
  readonly parameters: SSMClient;
}

/** What carries the SDK's requests: an object that does, or options for the SDK's own. */
export type RequestHandler = NonNullable<DynamoDBClientConfig['requestHandler']>;

const OVER_THE_NETWORK = {
  connectionTimeout: 1000,
  requestTimeout: 5000,
  throwOnRequestTimeout: true,
};

/** A request waits for a secret: what cannot be read soon is not read. */
const SOON = { ...OVER_THE_NETWORK, requestTimeout: 2000 };

/**
 * The four clients, each of whose calls passes the interceptor exactly once (around the SDK's own
 * retries, which repeat a request that the service did not accept or answer).
 * Endpoints, region and credentials come from the SDK's standard environment variables.
 * @param requestHandler for a host that answers the requests itself.
 */
export function createAwsClients(
  intercept: Interceptor,
  requestHandler?: RequestHandler,
): AwsClients {
  const options = { requestHandler: requestHandler ?? OVER_THE_NETWORK };
  const soon = { requestHandler: requestHandler ?? SOON, maxAttempts: 2 };
  const dynamo = tracer().captureAWSv3Client(new DynamoDBClient(options));
  const queues = tracer().captureAWSv3Client(new SQSClient(options));
  const stateMachines = tracer().captureAWSv3Client(new SFNClient(options));
  const parameters = tracer().captureAWSv3Client(new SSMClient(soon));
  interceptClient(dynamo, 'dynamodb', intercept);
  interceptClient(queues, 'sqs', intercept);
  interceptClient(stateMachines, 'states', intercept);
  interceptClient(parameters, 'ssm', intercept);
  return {
    dynamo,
    documents: DynamoDBDocumentClient.from(dynamo, {
      marshallOptions: { removeUndefinedValues: true },
    }),
    queues,
    stateMachines,
    parameters,
  };
}

/** The part of an SDK client that the seam needs; the clients' own types differ in their commands. */
interface InterceptableClient {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: { input: object }) => Promise<{ response: unknown; output: object }>,
        context: { commandName?: string },
      ) => (args: { input: object }) => Promise<{ response: unknown; output: object }>,
      options: { step: 'initialize'; name: string; priority: 'high' },
    ): void;
  };
}

function interceptClient(client: unknown, kind: Effect['kind'], intercept: Interceptor): void {
  (client as InterceptableClient).middlewareStack.add(
    (next, context) => (args) =>
      intercept(
        {
          kind,
          operation: (context.commandName ?? 'Unknown').replace(/Command$/, ''),
          target: targetOf(args.input),
        },
        () => next(args),
      ),
    { step: 'initialize', name: 'ordersagaEffects', priority: 'high' },
  );
}

/** The table, queue, machine or parameter that a request names; of several items, that of the first. */
function targetOf(input: object): string {
  const request = input as Readonly<Record<string, unknown>>;
  for (const key of ['TableName', 'QueueUrl', 'stateMachineArn', 'executionArn', 'Name']) {
    const value = request[key];
    if (typeof value === 'string') return value;
  }
  const { RequestItems: batch, TransactItems: transaction } = request;
  if (typeof batch === 'object' && batch !== null) return Object.keys(batch)[0] ?? '';
  if (Array.isArray(transaction)) return targetOf(firstOperation(transaction));
  return '';
}

/** The request inside the first item of a transaction: `{ Put: { TableName, … } }`. */
function firstOperation(transaction: readonly unknown[]): object {
  const item = (transaction[0] ?? {}) as Readonly<Record<string, object>>;
  return Object.values(item)[0] ?? {};
}
