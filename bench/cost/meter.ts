import { GetExecutionHistoryCommand, SFNClient } from '@aws-sdk/client-sfn';
import { databaseClient } from '../../lib/platform/dynamo/database-client.ts';
import type { Effect } from '../../lib/platform/effects.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';
import { type EmbeddedStack, startEmbeddedStack } from '../../local/stack/embedded-stack.ts';
import type { LambdaFunction } from '../../local/stack/lambda-runtime.ts';
import { eventsOf, readServiceDefinition } from '../../local/stack/service-definition.ts';

/** A write to DynamoDB, and the write units that it consumed. */
export interface Write {
  readonly operation: string;
  /** Kinds of the written items, by the prefix of their keys: `ORDER`, `RESERVATION`, … */
  readonly items: readonly string[];
  readonly tableUnits: number;
  readonly indexUnits: Readonly<Record<string, number>>;
}

/** Counts between two readings. */
export interface Reading {
  readonly effects: readonly Effect[];
  readonly readUnits: number;
  readonly writeUnits: number;
  /** In the order in which they were made. */
  readonly writes: readonly Write[];
  readonly invocations: readonly { readonly fn: LambdaFunction; readonly durationMs: number }[];
  /** Lines of the functions' log, including their metrics. */
  readonly logLines: readonly string[];
}

/** Keys of the functions, by caller. */
export interface Callers {
  /** Functions called by API Gateway. */
  readonly http: ReadonlySet<string>;
  readonly queue: ReadonlySet<string>;
}

/** An embedded stack that counts the items that AWS would bill. */
export class Meter {
  readonly stack: EmbeddedStack;
  readonly callers: Callers;
  readonly #states: SFNClient;
  readonly #total: Total;
  #readLogLines: number;

  constructor(stack: EmbeddedStack, callers: Callers, total: Total) {
    this.stack = stack;
    this.callers = callers;
    this.#total = total;
    this.#readLogLines = stack.logs().length;
    this.#states = new SFNClient({ endpoint: stack.endpoints.stepFunctions });
    stack.setInterceptor((effect, proceed) => {
      this.#total.effects.push(effect);
      return proceed();
    });
    countCapacity(total);
  }

  /** Counts since the last reading. */
  read(): Reading {
    const { effects, invocations, readUnits, writeUnits, writes } = this.#total;
    const lines = this.stack.logs();
    const logLines = lines.slice(this.#readLogLines);
    this.#readLogLines = lines.length;
    Object.assign(this.#total, newTotal());
    return { effects, invocations, readUnits, writeUnits, writes, logLines };
  }

  /** State entries of an order's first execution, after it has ended. The bench retries nothing. */
  async stateEntries(orderId: string): Promise<number> {
    const machine = this.stack.orderSagaArn.replace(':stateMachine:', ':execution:');
    const executionArn = `${machine}:${orderId}-1`;
    for (;;) {
      const { events = [] } = await this.#states.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }),
      );
      const types = events.map(({ type }) => String(type));
      if (types.some((type) => /^Execution(Succeeded|Failed|Aborted|TimedOut)$/.test(type))) {
        return types.filter((type) => type.endsWith('StateEntered')).length;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async stop(): Promise<void> {
    this.#states.destroy();
    await this.stack.stop();
  }
}

interface Total {
  effects: Effect[];
  invocations: { fn: LambdaFunction; durationMs: number }[];
  readUnits: number;
  writeUnits: number;
  writes: Write[];
}

function newTotal(): Total {
  return { effects: [], invocations: [], readUnits: 0, writeUnits: 0, writes: [] };
}

/** @param environment configuration that differs from the defaults. */
export async function startMeter(
  environment: Readonly<Record<string, string>> = {},
): Promise<Meter> {
  const total = newTotal();
  const [service, stack] = await Promise.all([
    readServiceDefinition(process.cwd()),
    startEmbeddedStack({
      ports: { api: 0, companion: 0, stepFunctions: 0, queues: 0, dynamodb: 0 },
      environment,
      // DynamoDB Local reports the consumed capacity of each request; the tables in memory do not.
      store: 'dynamodb-local',
      onInvocationEnd: (fn, durationMs) => total.invocations.push({ fn, durationMs }),
    }),
  ]);
  const keys = (events: readonly { readonly key: string }[]) =>
    new Set(events.map(({ key }) => key));
  const callers = {
    http: keys(eventsOf(service, 'http')),
    queue: keys(eventsOf(service, 'sqs')),
  };
  return new Meter(stack, callers, total);
}

/** DynamoDB's minimum for a query that is not strongly consistent. */
const LEAST_QUERY_UNITS = 0.5;

/** Capacity that one request consumed at one table. */
interface Capacity {
  readonly CapacityUnits?: number;
  readonly Table?: { readonly CapacityUnits?: number };
  readonly GlobalSecondaryIndexes?: Readonly<Record<string, { readonly CapacityUnits?: number }>>;
}

/** Asks for the consumed capacity of every request of the handlers' client, and sums it up. */
function countCapacity(total: Total): void {
  databaseClient(currentRuntime().aws).middlewareStack.add(
    (next, context) => async (args) => {
      const commandName = String((context as { commandName?: string }).commandName);
      const input = Object.assign(args.input, { ReturnConsumedCapacity: 'INDEXES' });
      const result = await next({ ...args, input });
      const { ConsumedCapacity } = result.output as { ConsumedCapacity?: Capacity | Capacity[] };
      const consumed = [ConsumedCapacity ?? []].flat();
      const sum = consumed.reduce((all, one) => all + (one.CapacityUnits ?? 0), 0);
      // AWS bills a query that finds nothing; DynamoDB Local counts 0 for it.
      if (commandName.startsWith('Query')) total.readUnits += Math.max(sum, LEAST_QUERY_UNITS);
      else if (/^(Get|BatchGet)/.test(commandName)) total.readUnits += sum;
      else {
        total.writeUnits += sum;
        total.writes.push(writeOf(commandName, input, consumed));
      }
      return result;
    },
    { step: 'initialize', name: 'countCapacity' },
  );
}

function writeOf(commandName: string, input: object, consumed: readonly Capacity[]): Write {
  const indexUnits: Record<string, number> = {};
  let tableUnits = 0;
  for (const { Table, GlobalSecondaryIndexes = {} } of consumed) {
    tableUnits += Table?.CapacityUnits ?? 0;
    for (const [index, { CapacityUnits = 0 }] of Object.entries(GlobalSecondaryIndexes)) {
      indexUnits[index] = (indexUnits[index] ?? 0) + CapacityUnits;
    }
  }
  const items = [...JSON.stringify(input).matchAll(/"(?:pk|id)":(?:{"S":)?"([A-Za-z]+)#/g)].map(
    ([, kind = '']) => (kind === 'ordersaga' ? 'IDEMPOTENCY' : kind),
  );
  return { operation: commandName.replace(/Command$/, ''), items, tableUnits, indexUnits };
}
