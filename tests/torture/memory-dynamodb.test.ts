import {
  DynamoDBClient,
  type DynamoDBClientConfig,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
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
import { MemoryDynamoDb } from '../../local/dynamodb/memory-dynamodb.ts';
import { startDynamoDbLocal } from '../../local/stack/dynamodb-local.ts';
import { javaCommand } from '../../local/stack/java.ts';
import { findFreePort } from '../../local/stack/ports.ts';
import { createTables, tablesOf } from '../../local/stack/resources.ts';
import { readServiceDefinition } from '../../local/stack/service-definition.ts';
import { inMemoryRequestHandler } from '../../torture/world/aws/request-handler.ts';

const TABLE = 'ordersaga-local-orders';
const SEQUENCES = 60;
const NEW = 'attribute_not_exists(pk)';

type Client = DynamoDBDocumentClient;
type TransactWriteItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** One request that can be told to either; `prefix` keeps the sequences out of each other's way. */
interface Step {
  ask(client: Client, prefix: string): Promise<object>;
}

/** A step that shows in a counterexample what it asks for. */
function asking<Request>(
  make: (prefix: string) => Request,
  send: (client: Client, request: Request) => Promise<object>,
): Step {
  return Object.assign(
    { ask: (client: Client, prefix: string) => send(client, make(prefix)) },
    { [fc.toStringMethod]: () => JSON.stringify(make('')) },
  );
}

const sdk: DynamoDBClientConfig = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  maxAttempts: 1,
};

let amazons: Client;
let worlds: Client;
let stop: () => Promise<void> = () => Promise.resolve();

beforeAll(async () => {
  const service = await readServiceDefinition(process.cwd());
  const memory = new MemoryDynamoDb();
  for (const { properties } of tablesOf(service)) memory.createTable(properties);
  const requestHandler = inMemoryRequestHandler({
    services: { DynamoDB_20120810: memory.operations },
    detached: (work) => work(),
    onDefect: () => undefined,
  });
  worlds = DynamoDBDocumentClient.from(new DynamoDBClient({ ...sdk, requestHandler }));

  const port = await findFreePort('127.0.0.1');
  const local = new DynamoDBClient({ ...sdk, endpoint: `http://127.0.0.1:${String(port)}` });
  const database = await startDynamoDbLocal(javaCommand(process.env), port, local);
  stop = async () => {
    local.destroy();
    await database.stop();
  };
  await createTables(service, local);
  amazons = DynamoDBDocumentClient.from(local);
});

afterAll(() => stop());

/** What a request was answered, without what only Amazon's says. */
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
    // Of a batch, no order is promised.
    answer.Responses?.[TABLE]?.sort((a, b) => a.pk.localeCompare(b.pk));
    return answer;
  } catch (error) {
    const { name } = error as Error;
    if (!(error instanceof TransactionCanceledException)) {
      return { name, item: (error as { Item?: unknown }).Item };
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
/** Different for almost every item: between equal sort keys, no order is promised. */
const time = fc.integer({ min: 1, max: 1_000_000_000 });
const quantity = fc.integer({ min: -5, max: 5 });

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
  // As the idempotency layer writes it.
  time.map((now) => ({
    ConditionExpression:
      'attribute_not_exists(#id) OR #expiry < :now OR (#status = :open AND attribute_exists(#due) AND #due < :now)',
    ExpressionAttributeNames: {
      '#id': 'pk',
      '#expiry': 'expiry',
      '#status': 'status',
      '#due': 'dueAtMs',
    },
    ExpressionAttributeValues: { ':now': now / 1000, ':open': 'OPEN' },
  })),
  // A comparison of two types, and one with what no item has.
  fc.constant({
    ConditionExpression: 'version >= :text OR nowhere <= :text',
    ExpressionAttributeValues: { ':text': '1' },
  }),
);

const put = fc
  .record({ id, status, version, shard, time, condition, returned, owner: shard })
  .map(({ condition: conditional, returned: onFailure, ...item }) => (prefix: string) => ({
    TableName: TABLE,
    Item: {
      pk: prefix + item.id,
      status: item.status,
      version: item.version,
      expiry: item.time / 1000,
      correlationId: `of ${item.id}`,
      lines: [{ productId: 'p', quantity: item.version }],
      ...(item.shard === undefined ? {} : { dueShard: prefix + item.shard, dueAtMs: item.time }),
      ...(item.owner === undefined
        ? {}
        : { ownerId: prefix + item.owner, createdAtSort: `${String(item.time)}#ä${item.id}` }),
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

const change = fc.record({ id, status, version }).map((changed) => (prefix: string) => ({
  TableName: TABLE,
  Key: { pk: prefix + changed.id },
  UpdateExpression: 'SET #status = :status, available = :n REMOVE dueShard, sold ADD version :one',
  ExpressionAttributeNames: { '#status': 'status' },
  ExpressionAttributeValues: { ':status': changed.status, ':n': changed.version, ':one': 1 },
  ReturnValues: 'ALL_NEW' as const,
}));

const remove = fc
  .record({ id, condition })
  .map(({ id: key, condition: conditional }) => (prefix: string) => ({
    TableName: TABLE,
    Key: { pk: prefix + key },
    ...conditional,
  }));

const write = fc.oneof(
  put.map((request) => (prefix: string) => ({ Put: request(prefix) })),
  update.map((request) => (prefix: string) => ({ Update: request(prefix) })),
  remove.map((request) => (prefix: string) => ({ Delete: request(prefix) })),
);

function targetOf({ Put, Update, Delete }: TransactWriteItem): string {
  return String((Put?.Item ?? Update?.Key ?? Delete?.Key)?.['pk']);
}

const byIndex = fc.oneof(
  time.map((before) => (prefix: string) => ({
    IndexName: 'due',
    KeyConditionExpression: '#shard = :shard AND #time <= :now',
    ExpressionAttributeNames: { '#shard': 'dueShard', '#time': 'dueAtMs' },
    ExpressionAttributeValues: { ':shard': `${prefix}0`, ':now': before },
  })),
  fc.constant((prefix: string) => ({
    IndexName: 'owner',
    KeyConditionExpression: 'ownerId = :user AND createdAtSort < :before',
    ExpressionAttributeValues: { ':user': `${prefix}0`, ':before': '~' },
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
    .oneof<fc.Arbitrary<(prefix: string) => UpdateCommandInput>[]>(update, change)
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

/** What all pages hold. Whether a last full page is followed by an empty one, nothing promises. */
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

describe("the world's DynamoDB", () => {
  test('answers as DynamoDB Local does, and ends with the same items', async () => {
    let sequences = 0;
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 25 }),
      async (steps) => {
        sequences += 1;
        const prefix = `${String(sequences)}#`;
        for (const one of steps) {
          const expected = await outcome(one, amazons, prefix);
          expect(await outcome(one, worlds, prefix)).toEqual(expected);
        }
      },
    );
    await fc.assert(property, { numRuns: SEQUENCES, seed: 1 });

    const items = await everything(amazons);
    expect(await everything(worlds)).toEqual(items);
    expect(items.length).toBeGreaterThan(SEQUENCES);
    const filter = {
      FilterExpression: '#status IN (:open, :none) AND version < :three',
      ProjectionExpression: 'pk, #status, nowhere',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':open': 'OPEN', ':none': 'NONE', ':three': 3 },
      Limit: 100,
    };
    expect(await everything(worlds, filter)).toEqual(await everything(amazons, filter));
  });

  test('takes no two writes of one item in a transaction', async () => {
    const Delete = { TableName: TABLE, Key: { pk: 'twice' } };
    const request = new TransactWriteCommand({ TransactItems: [{ Delete }, { Delete }] });
    for (const client of [amazons, worlds]) {
      await expect(client.send(request)).rejects.toThrow('multiple operations on one item');
    }
  });

  test('refuses what it does not know', async () => {
    const request = { TableName: TABLE, Key: { pk: 'x' } };
    const size = { ConditionExpression: 'size(pk) = :n', ExpressionAttributeValues: { ':n': 1 } };
    await expect(worlds.send(new DeleteCommand({ ...request, ...size }))).rejects.toThrow(
      'the expression size(pk) = :n',
    );
    await expect(
      worlds.send(new GetCommand({ ...request, ProjectionExpression: 'pk' })),
    ).rejects.toThrow('GetItem with ProjectionExpression');
  });
});
