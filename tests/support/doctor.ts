import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { orderIdOfPayment } from '../../lib/orders/payment-id.ts';
import { queueClient } from '../../lib/platform/aws/queue-client.ts';
import { stateMachineClient } from '../../lib/platform/aws/state-machine-client.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import { databaseClient, documentClient } from '../../lib/platform/dynamo/database-client.ts';
import { type Interceptor, passThrough } from '../../lib/platform/effects.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';
import { type ExamineOptions, examine, type Summary } from '../../tools/doctor/examine.ts';
import type { Verdict } from '../../tools/doctor/second-look.ts';
import { asTimePasses } from './stack.ts';
import type { TestStack } from './test-stack.ts';

export interface Consultation {
  readonly verdicts: readonly Verdict[];
  readonly summary: Summary;
}

/**
 * Lets the doctor examine a stack as an operator's process would, unaffected by faults injected into the
 * handlers. There is no grace period, so even a momentary disagreement counts.
 * @param options.intercept sees the doctor's own calls; the grace period passes on `options.clock`.
 */
export async function consultDoctor(
  stack: TestStack,
  options: Partial<Omit<ExamineOptions, 'tell'>> & {
    readonly intercept?: Interceptor;
    readonly clock?: Clock;
  } = {},
): Promise<Consultation> {
  const { intercept = passThrough, clock = stack.clock, ...examineOptions } = options;
  const runtime = stack.runtime({ clock, intercept });
  const verdicts: Verdict[] = [];
  const summary = await asTimePasses(() =>
    examine(runtime, {
      fix: false,
      graceMs: 0,
      pageSize: 100,
      ...examineOptions,
      tell: (verdict) => verdicts.push(verdict),
    }),
  );
  const { aws } = runtime;
  for (const client of [databaseClient(aws), queueClient(aws), stateMachineClient(aws)]) {
    client.destroy();
  }
  return { verdicts, summary };
}

export type StoredItem = Readonly<Record<string, unknown>>;

const TABLES = {
  ORDER: 'ORDERS_TABLE',
  RESERVATION: 'INVENTORY_TABLE',
  PRODUCT: 'INVENTORY_TABLE',
} as const;

/**
 * Writes an item directly, as an operator in the console could; undefined deletes it.
 * @returns a function that restores the item.
 */
export async function tamper(
  kind: keyof typeof TABLES | 'PAYMENT',
  id: string,
  change: (item: StoredItem) => StoredItem | undefined,
): Promise<() => Promise<void>> {
  if (kind === 'PAYMENT') return tamperWithPayment(id, change);
  const { aws, config } = currentRuntime();
  const table = { TableName: config[TABLES[kind]] };
  const key = { pk: `${kind}#${id}` };
  const write = async (item: StoredItem | undefined): Promise<void> => {
    await (item === undefined
      ? documentClient(aws).send(new DeleteCommand({ ...table, Key: key }))
      : documentClient(aws).send(new PutCommand({ ...table, Item: item })));
  };
  const { Item: item } = await documentClient(aws).send(
    new GetCommand({ ...table, Key: key, ConsistentRead: true }),
  );
  if (item === undefined) throw new Error(`There is no ${key.pk}.`);
  await write(change(item));
  return () => write(item);
}

/** Writes a payment where it is: in its order's item. */
function tamperWithPayment(
  paymentId: string,
  change: (payment: StoredItem) => StoredItem | undefined,
): Promise<() => Promise<void>> {
  return tamper('ORDER', orderIdOfPayment(paymentId) ?? '', (order) => {
    const payments = order['payments'] as readonly StoredItem[];
    const changed = payments.map((one) => (one['paymentId'] === paymentId ? change(one) : one));
    return { ...order, payments: changed.filter((one) => one !== undefined) };
  });
}
