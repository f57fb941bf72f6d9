import { GetExecutionHistoryCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { Effect } from '../lib/platform/effects.ts';
import { currentRuntime } from '../lib/platform/runtime.ts';
import { startEmbeddedStack } from '../local/stack/embedded-stack.ts';

/**
 * What one paid order costs in requests, DynamoDB units and state entries, measured on the embedded
 * stack: `npm run bench:happy-path`. The second order is measured; the first warms up.
 */
const stack = await startEmbeddedStack({
  ports: { api: 0, companion: 0, stepFunctions: 0, queues: 0, dynamodb: 0 },
});
try {
  const effects: Effect[] = [];
  const units = { read: 0, write: 0 };
  countCapacity(units);
  await paidOrder('warm-up');
  stack.setInterceptor((effect, proceed) => {
    effects.push(effect);
    return proceed();
  });
  units.read = 0;
  units.write = 0;
  const orderId = await paidOrder('measured');
  report(effects, units, await stateEntries(orderId));
} finally {
  await stack.stop();
}

/** Asks for the consumed capacity of every request of the handlers' client, and adds it up. */
function countCapacity(total: { read: number; write: number }): void {
  currentRuntime().aws.dynamo.middlewareStack.add(
    (next, context) => async (args) => {
      const commandName = String((context as { commandName?: string }).commandName);
      const input = Object.assign(args.input, { ReturnConsumedCapacity: 'TOTAL' });
      const result = await next({ ...args, input });
      const consumed = (result.output as { ConsumedCapacity?: Capacity | Capacity[] })
        .ConsumedCapacity;
      const sum = [consumed ?? []].flat().reduce((all, one) => all + (one.CapacityUnits ?? 0), 0);
      total[/^(Get|BatchGet|Query)/.test(commandName) ? 'read' : 'write'] += sum;
      return result;
    },
    { step: 'initialize', name: 'countCapacity' },
  );
}

interface Capacity {
  readonly CapacityUnits?: number;
}

async function paidOrder(user: string): Promise<string> {
  const headers = {
    authorization: `Bearer ${await stack.mintToken(user)}`,
    'content-type': 'application/json',
    prefer: 'wait=10',
  };
  const post = async (path: string, body: unknown, key: string) => {
    const response = await fetch(stack.apiUrl + path, {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': key },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${String(response.status)}`);
    return (await response.json()) as { orderId: string };
  };
  const items = [{ productId: 'prod-coffee', quantity: 2 }];
  const { orderId } = await post('/order', { items }, 'order');
  await post('/payment', { orderId, paymentMethod: { token: 'tok_ok' } }, 'payment');
  return orderId;
}

async function stateEntries(orderId: string): Promise<number> {
  const client = new SFNClient({ endpoint: stack.endpoints.stepFunctions });
  const executionArn = `${stack.orderSagaArn.replace(':stateMachine:', ':execution:')}:${orderId}-1`;
  const { events } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
  client.destroy();
  return (events ?? []).filter(({ type }) => type?.endsWith('StateEntered')).length;
}

function report(
  effects: readonly Effect[],
  units: { readonly read: number; readonly write: number },
  entries: number,
): void {
  const counts = new Map<string, number>();
  for (const { kind, operation } of effects) {
    const name = `${kind} ${operation}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [name, count] of [...counts].sort()) {
    process.stdout.write(`${name.padEnd(32)} ${String(count)}\n`);
  }
  const requests = effects.filter(({ kind }) => kind === 'dynamodb').length;
  process.stdout.write(
    `\nDynamoDB requests ${String(requests)}, write units ${String(units.write)}, ` +
      `read units ${String(units.read)}, state entries ${String(entries)}\n`,
  );
}
