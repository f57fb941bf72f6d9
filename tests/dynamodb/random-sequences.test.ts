import { type DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTables } from '../../local/stack/resources.ts';
import { readServiceDefinition } from '../../local/stack/service-definition.ts';
import { WITHOUT_JAVA } from '../support/java.ts';
import { type RunningStore, startLocalStore, startMemoryStore } from './stores.ts';

const TABLE = 'ordersaga-local-orders';
const SEQUENCES = 60;
const NEW = 'attribute_not_exists(pk)';

type Client = DynamoDBDocumentClient;
type TransactWriteItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** One request to either store; `prefix` keeps the sequences' items apart. */
interface Step {
  ask(client: Client, prefix: string): Promise<object>;
}

/** A step that a counterexample prints as its request. */
function asking<Request>(
  make: (prefix: string) => Request,
  send: (client: Client, request: Request) => Promise<object>,
): Step {
  return Object.assign(
    { ask: (client: Client, prefix: string) => send(client, make(prefix)) },
    { [fc.toStringMethod]: () => JSON.stringify(make('')).replaceAll(LARGE, 'LARGE') },
  );
}

const stores: RunningStore[] = [];
let amazons: Client | undefined;
let memory: Client;

beforeAll(async () => {
  const [service, ours, local] = await Promise.all([
    readServiceDefinition(process.cwd()),
    startMemoryStore(),
    startLocalStore(),
  ]);
  const documentsOf = async (client: DynamoDBClient) => {
    await createTables(service, client);
    return DynamoDBDocumentClient.from(client);
  };
  stores.push(ours);
  memory = await documentsOf(ours.client);
  if (local === undefined) return;
  stores.push(local);
  amazons = await documentsOf(local.client);
});

afterAll(async () => {
  for (const store of stores) await store.stop();
});

/** A response or error, without the fields that only AWS sets. */
async function outcome(step: Step, client: Client, prefix: string): Promise<unknown> {
  try {
    const result = await step.ask(client, prefix);
    const {
      $metadata: _of,
      ConsumedCapacity: _units,
      ...answer
    } = result as {
      $metadata?: unknown;
      ConsumedCapacity?: unknown;
      Responses?: Record<string, { pk: string }[]>;
    };
    // A batch guarantees no order.
    answer.Responses?.[TABLE]?.sort((a, b) => a.pk.localeCompare(b.pk));
    return answer;
  } catch (error) {
    const { name, message } = error as Error;
    if (!(error instanceof TransactionCanceledException)) {
      return { name, message, item: (error as { Item?: unknown }).Item };
    }
    return {
      name,
      reasons: error.CancellationReasons?.map(({ Code, Item }) => ({ Code, Item })),
    };
  }
}

const id = fc.constantFrom('a', 'b', 'c', 'd');
const status = fc.constantFrom('OPEN', 'DONE');
const version = fc.integer({ min: 1, max: 3 });
const shard = fc.constantFrom('0', '1', undefined);
const returned = fc.constantFrom('ALL_OLD' as const, undefined);
/** Nearly unique sort keys, because equal ones have no guaranteed order. */
const time = fc.integer({ min: 1, max: 1_000_000_000 });
const quantity = fc.integer({ min: -5, max: 5 });
const ratio = fc.constantFrom(0, -0, 1.5, -1234.5, 1e15, 1.5e-7);
/** Two of these do not fit into one item, but one does. */
const LARGE = 'x'.repeat(210_000);
const note = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('', 'ä', '😀', '\ud800', 'a\udc00b', '\uffff') },
  { weight: 1, arbitrary: fc.constant(LARGE) },
);

const condition = fc.oneof(
  fc.constant({}),
  fc.constant({ ConditionExpression: NEW }),
  fc.constant({ ConditionExpression: 'attribute_exists(pk)' }),
  fc.record({ status, version }).map((expected) => ({
    ConditionExpression: '#status = :statusAsRead AND version = :versionAsRead',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: {
      ':statusAsRead': expected.status,
      ':versionAsRead': expected.version,
    },
  })),
  // The idempotency layer's condition.
  time.map((now) => ({
    ConditionExpression:
      'attribute_not_exists(#id) OR #expiry < :now OR (#status = :open AND attribute_exists(#due) AND #due < :now)',
    ExpressionAttributeNames: {
      '#id': 'pk',
      '#expiry': 'expiry',
      '#status': 'status',
      '#due': 'dueKeyMs',
    },
    ExpressionAttributeValues: { ':now': now / 1000, ':open': 'OPEN' },
  })),
  // A comparison of different types, and one with an attribute that no item has.
  fc.constant({
    ConditionExpression: 'version >= :text OR nowhere <= :text',
    ExpressionAttributeValues: { ':text': '1' },
  }),
);

const put = fc
  .record({ id, status, version, shard, time, condition, returned, owner: shard, note, ratio })
  .map(({ condition: conditional, returned: onFailure, ...item }) => (prefix: string) => ({
    TableName: TABLE,
    Item: {
      pk: prefix + item.id,
      status: item.status,
      version: item.version,
      expiry: item.time / 1000,
      note: item.note,
      ratio: item.ratio,
      correlationId: `of ${item.id}`,
      lines: [{ productId: 'p', quantity: item.version }],
      ...(item.shard === undefined ? {} : { dueShard: prefix + item.shard, dueKeyMs: item.time }),
      ...(item.owner === undefined ? {} : { ownerId: prefix + item.owner, createdAtMs: item.time }),
    },
    ...conditional,
    ReturnValuesOnConditionCheckFailure: onFailure,
  }));

const update = fc
  .record({ id, quantity, least: quantity, returned })
  .map(({ id: key, quantity: n, least, returned: onFailure }) => (prefix: string) => ({
    TableName: TABLE,
    Key: { pk: prefix + key },
    UpdateExpression: 'ADD available :n, sold :one',
    ConditionExpression: 'attribute_exists(pk) AND available >= :least',
    ExpressionAttributeValues: { ':n': n, ':one': 1, ':least': least },
    ReturnValuesOnConditionCheckFailure: onFailure,
  }));

const change = fc.record({ id, status, version, note }).map((changed) => (prefix: string) => ({
  TableName: TABLE,
  Key: { pk: prefix + changed.id },
  UpdateExpression:
    'SET #status = :status, available = :n, remark = :note REMOVE dueShard, sold ADD version :one',
  ExpressionAttributeNames: { '#status': 'status' },
  ExpressionAttributeValues: {
    ':status': changed.status,
    ':n': changed.version,
    ':note': changed.note,
    ':one': 1,
  },
  ReturnValues: 'ALL_NEW' as const,
}));

/** `list` is a list, no list, or an attribute that no item has; it may append no list. */
const append = fc
  .record({ id, list: fc.constantFrom('lines', 'status', 'nowhere'), isList: fc.boolean() })
  .map(({ id: key, list, isList }) => (prefix: string) => ({
    TableName: TABLE,
    Key: { pk: prefix + key },
    UpdateExpression: 'SET #lines = list_append(#list, :more) ADD version :one',
    ExpressionAttributeNames: { '#lines': 'lines', '#list': list },
    ExpressionAttributeValues: { ':more': isList ? [{ productId: 'q' }] : 'q', ':one': 1 },
    ReturnValues: 'ALL_NEW' as const,
  }));

const remove = fc
  .record({ id, condition })
  .map(({ id: key, condition: conditional }) => (prefix: string) => ({
    TableName: TABLE,
    Key: { pk: prefix + key },
    ...conditional,
  }));

/** An update that may make an item too large. */
const remark = fc.record({ id, note }).map((changed) => (prefix: string) => ({
  TableName: TABLE,
  Key: { pk: prefix + changed.id },
  UpdateExpression: 'SET remark = :note',
  ExpressionAttributeValues: { ':note': changed.note },
}));

const write = fc.oneof(
  put.map((request) => (prefix: string) => ({ Put: request(prefix) })),
  update.map((request) => (prefix: string) => ({ Update: request(prefix) })),
  remark.map((request) => (prefix: string) => ({ Update: request(prefix) })),
  remove.map((request) => (prefix: string) => ({ Delete: request(prefix) })),
);

function targetOf({ Put, Update, Delete }: TransactWriteItem): string {
  return String((Put?.Item ?? Update?.Key ?? Delete?.Key)?.['pk']);
}

const byIndex = fc.oneof(
  time.map((before) => (prefix: string) => ({
    IndexName: 'due',
    KeyConditionExpression: '#shard = :shard AND #time <= :now',
    ExpressionAttributeNames: { '#shard': 'dueShard', '#time': 'dueKeyMs' },
    ExpressionAttributeValues: { ':shard': `${prefix}0`, ':now': before },
  })),
  time.map((before) => (prefix: string) => ({
    IndexName: 'owner',
    KeyConditionExpression: 'ownerId = :user AND createdAtMs < :before',
    ExpressionAttributeValues: { ':user': `${prefix}0`, ':before': before },
  })),
  id.map((key) => (prefix: string) => ({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': prefix + key },
  })),
);

const key = id.map((name) => (prefix: string) => ({ pk: prefix + name }));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: put.map((make) =>
      asking(make, (client, request) => client.send(new PutCommand(request))),
    ),
  },
  fc
    .oneof<fc.Arbitrary<(prefix: string) => UpdateCommandInput>[]>(update, change, append)
    .map((make) => asking(make, (client, request) => client.send(new UpdateCommand(request)))),
  remove.map((make) => asking(make, (client, request) => client.send(new DeleteCommand(request)))),
  {
    weight: 3,
    arbitrary: fc
      .uniqueArray(write, { minLength: 1, maxLength: 3, selector: (make) => targetOf(make('')) })
      .map((writes) =>
        asking(
          (prefix) => ({ TransactItems: writes.map((make) => make(prefix)) }),
          (client, request) => client.send(new TransactWriteCommand(request)),
        ),
      ),
  },
  key.map((make) =>
    asking(
      (prefix) => ({ TableName: TABLE, Key: make(prefix), ConsistentRead: true }),
      (client, request) => client.send(new GetCommand(request)),
    ),
  ),
  fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) =>
    asking(
      (prefix) => ({
        RequestItems: {
          [TABLE]: { Keys: keys.map((make) => make(prefix)), ConsistentRead: true },
        },
      }),
      (client, request) => client.send(new BatchGetCommand(request)),
    ),
  ),
  fc
    .uniqueArray(fc.tuple(id, fc.option(note)), { maxLength: 3, selector: ([name]) => name })
    .map((writes) =>
      asking(
        (prefix) => ({
          RequestItems: {
            [TABLE]: writes.map(([name, text]) => {
              const pk = prefix + name;
              return text === null
                ? { DeleteRequest: { Key: { pk } } }
                : { PutRequest: { Item: { pk, note: text } } };
            }),
          },
        }),
        (client, request) => client.send(new BatchWriteCommand(request)),
      ),
    ),
  {
    weight: 2,
    arbitrary: fc
      .record({ byIndex, forward: fc.boolean(), limit: fc.constantFrom(1, 2, undefined) })
      .map(({ byIndex: make, forward, limit }) =>
        asking(
          (prefix) => ({
            TableName: TABLE,
            ScanIndexForward: forward,
            Limit: limit,
            ...make(prefix),
          }),
          (client, request) =>
            everyPage((ExclusiveStartKey) =>
              client.send(new QueryCommand({ ...request, ExclusiveStartKey })),
            ),
        ),
      ),
  },
);

interface Page {
  readonly Items?: Record<string, unknown>[] | undefined;
  readonly LastEvaluatedKey?: Record<string, unknown> | undefined;
}

/** Items of all pages. An empty page may follow a last full one. */
async function everyPage(
  ask: (startKey: Record<string, unknown> | undefined) => Promise<Page>,
): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let startKey: Record<string, unknown> | undefined;
  do {
    const page = await ask(startKey);
    items.push(...(page.Items ?? []));
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
  return items;
}

async function everything(client: Client, filter: object = {}): Promise<Record<string, unknown>[]> {
  const items = await everyPage((ExclusiveStartKey) =>
    client.send(new ScanCommand({ TableName: TABLE, ExclusiveStartKey, ...filter })),
  );
  return items.sort((a, b) => String(a['pk']).localeCompare(String(b['pk'])));
}

describe('the tables in memory', () => {
  test('answer as DynamoDB Local does, and end with the same items', async ({ skip }) => {
    const local = amazons ?? skip(WITHOUT_JAVA);
    let sequences = 0;
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 25 }),
      async (steps) => {
        sequences += 1;
        const prefix = `${String(sequences)}#`;
        for (const one of steps) {
          const expected = await outcome(one, local, prefix);
          expect(await outcome(one, memory, prefix)).toEqual(expected);
        }
      },
    );
    await fc.assert(property, { numRuns: SEQUENCES, seed: 1 });

    const items = await everything(local);
    expect(await everything(memory)).toEqual(items);
    expect(items.length).toBeGreaterThan(SEQUENCES);
    const filter = {
      FilterExpression: '#status IN (:open, :none) AND version < :three',
      ProjectionExpression: 'pk, #status, nowhere',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':open': 'OPEN', ':none': 'NONE', ':three': 3 },
      Limit: 100,
    };
    expect(await everything(memory, filter)).toEqual(await everything(local, filter));
  });

  test('name what they do not support', async () => {
    const request = { TableName: TABLE, Key: { pk: 'x' } };
    const size = { ConditionExpression: 'size(pk) = :n', ExpressionAttributeValues: { ':n': 1 } };
    await expect(memory.send(new DeleteCommand({ ...request, ...size }))).rejects.toThrow(
      'do not support the expression size(pk) = :n',
    );
    await expect(
      memory.send(new GetCommand({ ...request, ProjectionExpression: 'pk' })),
    ).rejects.toThrow('do not support GetItem with ProjectionExpression');
  });
});
