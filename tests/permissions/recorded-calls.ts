import { queueClient } from '../../lib/platform/aws/queue-client.ts';
import { stateMachineClient } from '../../lib/platform/aws/state-machine-client.ts';
import { databaseClient } from '../../lib/platform/dynamo/database-client.ts';
import type { HttpRequest } from '../../lib/platform/http/http-client.ts';
import type { World } from '../../torture/world/world.ts';

/** Recorded actions of each function, in IAM's terms: `dynamodb:PutItem OrdersTable`. */
export type Calls = Map<string, Set<string>>;

function note(calls: Calls, functionKey: string, call: string): void {
  calls.set(functionKey, (calls.get(functionKey) ?? new Set()).add(call));
}

/** The members of an SDK client that are used here; the clients' own types differ in their commands. */
interface Client {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: { input: object }) => unknown,
        context: { commandName?: string },
      ) => (args: { input: object }) => unknown,
      options: { step: 'initialize'; name: string },
    ): void;
  };
}

/** Records the AWS requests of every function of a world, even if they fail. */
export function recordCalls(world: World, calls: Calls): void {
  const { aws } = world.runtime;
  const dynamo = databaseClient(aws);
  const queues = queueClient(aws);
  const stateMachines = stateMachineClient(aws);
  const names = resourceNames(world);
  recordInventoryCalls(world, calls);
  for (const client of [dynamo, queues, stateMachines] as unknown as Client[]) {
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        (args) => {
          const by = world.caller();
          if (by !== undefined) {
            for (const call of callsOf(commandName.replace(/Command$/, ''), args.input, names)) {
              note(calls, by, call);
            }
          }
          return next(args);
        },
      { step: 'initialize', name: 'recordCalls' },
    );
  }
}

/** Records the calls of the Inventory Service's function URL, which need two permissions. */
function recordInventoryCalls(world: World, calls: Calls): void {
  const { http } = world.runtime;
  Object.assign(world.runtime, {
    http: (request: HttpRequest) => {
      const by = world.caller();
      if (by !== undefined && request.url.startsWith(world.runtime.config.INVENTORY_URL)) {
        note(calls, by, 'lambda:InvokeFunctionUrl Reservations');
        note(calls, by, 'lambda:InvokeFunction Reservations');
      }
      return http(request);
    },
  });
}

/** Logical ids in infrastructure/resources.yml, by the names in requests. */
function resourceNames({ runtime: { config } }: World): ReadonlyMap<string, string> {
  return new Map([
    [config.ORDERS_TABLE, 'OrdersTable'],
    [config.INVENTORY_TABLE, 'InventoryTable'],
    [config.IDEMPOTENCY_TABLE, 'IdempotencyTable'],
    [config.COMPENSATION_QUEUE_URL, 'CompensationQueue'],
    [config.ACKNOWLEDGEMENT_QUEUE_URL, 'AcknowledgementQueue'],
    [config.SAGA_DEAD_LETTER_QUEUE_URL, 'SagaDeadLetterQueue'],
    [config.COMPENSATION_DEAD_LETTER_QUEUE_URL, 'CompensationDeadLetterQueue'],
    [config.ACKNOWLEDGEMENT_DEAD_LETTER_QUEUE_URL, 'AcknowledgementDeadLetterQueue'],
    [config.ORDER_SAGA_ARN, 'OrderSaga'],
  ]);
}

/** Actions of each operation: https://docs.aws.amazon.com/service-authorization/latest/reference/ */
function callsOf(
  operation: string,
  input: object,
  names: ReadonlyMap<string, string>,
): readonly string[] {
  const request = input as Readonly<Record<string, unknown>>;
  const named = (name: unknown) => names.get(String(name)) ?? String(name);
  switch (operation) {
    case 'GetItem':
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [`dynamodb:${operation} ${named(request['TableName'])}`];
    case 'Query': {
      const { TableName, IndexName } = request as { TableName: string; IndexName?: string };
      const index = IndexName === undefined ? '' : `/index/${IndexName}`;
      return [`dynamodb:Query ${named(TableName)}${index}`];
    }
    case 'BatchGetItem':
      return Object.keys(request['RequestItems'] as object).map(
        (table) => `dynamodb:BatchGetItem ${named(table)}`,
      );
    case 'TransactWriteItems':
      return (request['TransactItems'] as Record<string, { TableName: string }>[]).flatMap((item) =>
        Object.entries(item).map(
          ([kind, { TableName }]) =>
            `dynamodb:${kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`} ${named(TableName)}`,
        ),
      );
    case 'SendMessage':
    case 'ChangeMessageVisibility':
      return [`sqs:${operation} ${named(request['QueueUrl'])}`];
    case 'StartExecution':
      return [`states:StartExecution ${named(request['stateMachineArn'])}`];
    case 'DescribeExecution':
      return ['states:DescribeExecution OrderSagaExecutions'];
    case 'SendTaskSuccess':
      return ['states:SendTaskSuccess TaskTokens'];
    default:
      return [`unknown:${operation}`];
  }
}
