import { MemoryDynamoDb, type WriteListener } from '../../local/dynamodb/memory-dynamodb.ts';
import type { Table } from '../../local/dynamodb/table.ts';
import { type IntrinsicValues, resolveIntrinsics } from '../../local/stack/intrinsics.ts';
import { createQueues, intrinsicValues, tablesOf } from '../../local/stack/resources.ts';
import type { ServiceDefinition, SqsEvent } from '../../local/stack/service-definition.ts';
import type { Foundation } from './foundation.ts';
import { type Delivery, MemorySqs } from './memory-sqs.ts';
import { QUEUES_URL } from './settings.ts';
import type { MessageQueue } from './sqs/message-queue.ts';

/** The tables and queues of serverless.yml, in memory. */
export interface Storage {
  readonly dynamo: MemoryDynamoDb;
  readonly orders: Table;
  readonly inventory: Table;
  readonly sqs: MemorySqs;
  /** By logical id. */
  readonly queueUrls: Readonly<Record<string, string>>;
  readonly values: IntrinsicValues;
  /** The queue of an event source. */
  sourceOf(event: SqsEvent): { readonly queue: MessageQueue; readonly url: string };
}

export function createStorage(
  service: ServiceDefinition,
  { clock, newId }: Foundation,
  delivery: Delivery,
  onWrite: WriteListener,
): Storage {
  const dynamo = new MemoryDynamoDb({ onWrite });
  for (const { properties } of tablesOf(service)) dynamo.createTable(properties);
  const sqs = new MemorySqs({ clock, newId, endpoint: QUEUES_URL, delivery });
  const queueUrls = createQueues(service, sqs, QUEUES_URL);
  const values = intrinsicValues(service, queueUrls);
  return {
    dynamo,
    orders: dynamo.table(values.references['OrdersTable']),
    inventory: dynamo.table(values.references['InventoryTable']),
    sqs,
    queueUrls,
    values,
    sourceOf: ({ arn }) => {
      const name = String(resolveIntrinsics(arn, values)).split(':').at(-1);
      return { queue: sqs.queue(name), url: sqs.urlOf(name) };
    },
  };
}
