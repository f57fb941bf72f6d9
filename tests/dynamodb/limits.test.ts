import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WITHOUT_JAVA } from '../support/java.ts';
import {
  createThings,
  type RunningStore,
  startLocalStore,
  startMemoryStore,
  TABLE,
} from './stores.ts';

const { TableName } = TABLE;
const KIB = 1024;
/** The largest value of an attribute `v` that fits beside a key `k`: names and key take four bytes. */
const LARGEST_TEXT = 400 * KIB - 4;

type Item = Record<string, AttributeValue>;

const text = (bytes: number) => ({ S: 'x'.repeat(bytes) });
const key = (value: string) => ({ pk: { S: value } });
const put = (Item: Item) => new PutItemCommand({ TableName, Item });
const get = (value: string) => new GetItemCommand({ TableName, Key: key(value) });
const remove = (value: string) => new DeleteItemCommand({ TableName, Key: key(value) });
const set = (value: string, name: string, to: AttributeValue) => ({
  TableName,
  Key: key(value),
  UpdateExpression: 'SET #name = :to',
  ExpressionAttributeNames: { '#name': name },
  ExpressionAttributeValues: { ':to': to },
});
const update = (...parameters: Parameters<typeof set>) => new UpdateItemCommand(set(...parameters));
const transaction = (...TransactItems: TransactWriteItem[]) =>
  new TransactWriteItemsCommand({ TransactItems });
const putting = (Item: Item) => ({ Put: { TableName, Item } });
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `n${String(n)}`);

type Command =
  | PutItemCommand
  | GetItemCommand
  | DeleteItemCommand
  | UpdateItemCommand
  | TransactWriteItemsCommand
  | BatchGetItemCommand
  | BatchWriteItemCommand;

const KEY_TOO_LONG = 'Hash primary key values must be under 2048 bytes';
const EMPTY_KEY = 'cannot contain an empty string value';
const ITEM_TOO_LARGE = 'Item size has exceeded the maximum allowed size';
const RESULT_TOO_LARGE = 'Item size to update has exceeded the maximum allowed size';

const accepted: Record<string, readonly Command[]> = {
  'a key of 2,048 bytes': [put(key('k'.repeat(2048))), put(key('ä'.repeat(1024)))],
  'index keys of 2,048 and 1,024 bytes': [
    put({ ...key('k'), group: text(2048), rank: text(1024) }),
  ],
  'an item of 400 KiB': [put({ pk: { S: 'k' }, v: text(LARGEST_TEXT) })],
  'a transaction of 100 items': [transaction(...numbered(100).map((name) => putting(key(name))))],
  'a transaction of almost 4 MiB': [
    transaction(...numbered(10).map((name) => putting({ ...key(name), v: text(399 * KIB) }))),
  ],
  'a batch of 100 keys': [
    new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: numbered(100).map(key) } } }),
  ],
  'numbers of 38 digits from 1E-130 to 9.9E+125': [
    put({ ...key('k'), v: { N: '12345678901234567890123456789012345678' } }),
    put({ ...key('k'), v: { N: '1E-130' } }),
    put({ ...key('k'), v: { N: '-9.9E+125' } }),
  ],
};

const refused: Record<string, { readonly message: string; readonly commands: Command[] }> = {
  'a longer key': {
    message: KEY_TOO_LONG,
    commands: [
      put(key('k'.repeat(2049))),
      put(key('ä'.repeat(1025))),
      get('k'.repeat(2049)),
      remove('k'.repeat(2049)),
      update('k'.repeat(2049), 'v', { N: '1' }),
    ],
  },
  'an empty key': { message: EMPTY_KEY, commands: [put(key('')), get(''), remove('')] },
  'an empty index key': {
    message: EMPTY_KEY,
    commands: [put({ ...key('k'), group: { S: '' }, rank: { S: 'r' } })],
  },
  'longer index keys': {
    message: 'Size limit exceeded',
    commands: [
      put({ ...key('k'), group: text(2049), rank: { S: 'r' } }),
      put({ ...key('k'), group: { S: 'g' }, rank: text(1025) }),
      update('k', 'rank', text(1025)),
    ],
  },
  'an index key of another type': {
    message: 'Type mismatch for Index Key',
    commands: [put({ ...key('k'), group: { N: '1' } }), update('k', 'group', { N: '1' })],
  },
  'a key that is no text, or missing': {
    message: '',
    commands: [put({ pk: { N: '1' } }), put({ v: { S: 'k' } })],
  },
  'an item of 400 KiB and a byte': {
    message: ITEM_TOO_LARGE,
    commands: [
      put({ pk: { S: 'k' }, v: text(LARGEST_TEXT + 1) }),
      put({ pk: { S: 'k' }, v: text(LARGEST_TEXT - 2), n: { N: '1' } }),
      put({ pk: { S: 'k' }, v: { L: [text(LARGEST_TEXT - 3)] } }),
      put({ pk: { S: 'k' }, v: { M: { a: text(LARGEST_TEXT - 4) } } }),
      transaction(putting({ pk: { S: 'k' }, v: text(LARGEST_TEXT + 1) })),
    ],
  },
  'an update to more than 400 KiB': {
    message: RESULT_TOO_LARGE,
    commands: [update('large', 'more', text(2 * KIB))],
  },
  'a transaction of 101 items': {
    message: 'less than or equal to 100',
    commands: [transaction(...numbered(101).map((name) => putting(key(name))))],
  },
  'a transaction of none': { message: 'greater than or equal to 1', commands: [transaction()] },
  'a transaction of more than 4 MiB': {
    message: 'Transaction payload size cannot exceed 4MB',
    commands: [
      transaction(...numbered(11).map((name) => putting({ ...key(name), v: text(399 * KIB) }))),
      transaction(...numbered(11).map((name) => ({ Update: set(name, 'v', text(399 * KIB)) }))),
    ],
  },
  'two writes of one item in a transaction': {
    message: 'multiple operations on one item',
    commands: [transaction(putting(key('k')), { Delete: { TableName, Key: key('k') } })],
  },
  'a batch of 101 keys': {
    message: 'Too many items requested for the BatchGetItem call',
    commands: [
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: numbered(101).map(key) } } }),
    ],
  },
  'the same key twice in a batch': {
    message: 'duplicates',
    commands: [
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [key('k'), key('k')] } } }),
    ],
  },
  'a batch of 26 writes': {
    message: 'Too many items requested for the BatchWriteItem call',
    commands: [
      new BatchWriteItemCommand({
        RequestItems: {
          [TableName]: numbered(26).map((name) => ({ PutRequest: { Item: key(name) } })),
        },
      }),
    ],
  },
  'an expression with a reserved word for a name': {
    message: 'reserved keyword: Status',
    commands: [
      new PutItemCommand({
        TableName,
        Item: key('k'),
        ConditionExpression: 'attribute_exists(Status)',
      }),
      new UpdateItemCommand({ TableName, Key: key('k'), UpdateExpression: 'REMOVE Status' }),
    ],
  },
  'a placeholder that is not defined, or not used': {
    message: '',
    commands: [
      new PutItemCommand({
        TableName,
        Item: key('k'),
        ConditionExpression: 'attribute_not_exists(pk) OR v = :v',
      }),
      new PutItemCommand({
        TableName,
        Item: key('k'),
        ConditionExpression: 'attribute_not_exists(#v)',
      }),
      new UpdateItemCommand({
        ...set('k', 'v', { N: '1' }),
        ExpressionAttributeNames: { '#name': 'v', '#other': 'w' },
      }),
      new PutItemCommand({
        TableName,
        Item: key('k'),
        ExpressionAttributeValues: { ':v': { N: '1' } },
      }),
    ],
  },
  'what is no number, or no number of DynamoDB': {
    message: '',
    commands: ['', 'NaN', '0x1', '1E+126', '1E-131', '123456789012345678901234567890123456789'].map(
      (N) => put({ ...key('k'), v: { N } }),
    ),
  },
};

describe.each([
  ['the tables in memory', () => startMemoryStore()],
  ['DynamoDB Local', () => startLocalStore()],
])('%s', (_name, start) => {
  let store: RunningStore | undefined;

  beforeAll(async () => {
    store = await start();
    if (store === undefined) return;
    await createThings(store);
    await store.client.send(put({ ...key('large'), v: text(399 * KIB) }));
  });

  afterAll(() => store?.stop());

  /** The client; skips the test if this store cannot run. */
  function clientOr(skip: (why: string) => never): RunningStore['client'] {
    return store?.client ?? skip(WITHOUT_JAVA);
  }

  test.for(Object.entries(accepted))('takes %s', async ([, commands], { skip }) => {
    const client = clientOr(skip);
    for (const command of commands) await client.send(command as PutItemCommand);
  });

  test.for(Object.entries(refused))('refuses %s', async ([, { message, commands }], { skip }) => {
    const client = clientOr(skip);
    for (const command of commands) {
      const refusal: unknown = await client
        .send(command as PutItemCommand)
        .catch((error: unknown) => error);
      expect(refusal).toMatchObject({
        name: 'ValidationException',
        message: expect.stringContaining(message),
      });
    }
  });

  test('names what is wrong with one item of a transaction as its reason', async ({ skip }) => {
    const client = clientOr(skip);
    const refusal: unknown = await client
      .send(
        transaction(
          putting(key('k'.repeat(2049))),
          putting(key('k')),
          { Update: set('large', 'more', text(2 * KIB)) },
          putting({ ...key('g'), group: { N: '1' } }),
          {
            Delete: { TableName, Key: key('d'), ConditionExpression: 'attribute_exists(pk)' },
          },
        ),
      )
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(TransactionCanceledException);
    const reasons = (refusal as TransactionCanceledException).CancellationReasons;
    expect(reasons?.map(({ Code }) => Code)).toEqual([
      'ValidationError',
      'None',
      'ValidationError',
      'ValidationError',
      'ConditionalCheckFailed',
    ]);
  });

  test('keeps a lone surrogate in a value, and takes it for "?" in a key', async ({ skip }) => {
    const client = clientOr(skip);
    const alone = '\ud800';
    await client.send(
      put({ ...key(`s${alone}`), v: { S: alone }, group: { S: alone }, rank: text(1) }),
    );
    const { Item: stored } = await client.send(get('s?'));
    expect(stored?.['v']).toEqual({ S: alone });
    const { Items: found } = await client.send(
      new QueryCommand({
        TableName,
        IndexName: 'byGroup',
        KeyConditionExpression: '#group = :group',
        ExpressionAttributeNames: { '#group': 'group' },
        ExpressionAttributeValues: { ':group': { S: '\udfff' } },
      }),
    );
    expect(found).toEqual([stored]);
    await expect(client.send(put({ ...key('k'), [alone]: { S: 'x' } }))).rejects.toThrow(
      expect.objectContaining({ name: 'InternalFailure' }),
    );
  });

  test('answers no more than a page at a time', async ({ skip }) => {
    const client = clientOr(skip);
    for (const rank of ['1', '2', '3', '4']) {
      const item = { ...key(`page ${rank}`), group: { S: 'pages' }, rank: { S: rank } };
      await client.send(put({ ...item, v: text(399 * KIB) }));
    }
    const first = await client.send(
      new QueryCommand({
        TableName,
        IndexName: 'byGroup',
        KeyConditionExpression: '#group = :group',
        ExpressionAttributeNames: { '#group': 'group' },
        ExpressionAttributeValues: { ':group': { S: 'pages' } },
      }),
    );
    expect(first.Items).toHaveLength(3);
    expect(first.LastEvaluatedKey).toMatchObject({ rank: { S: '3' } });
  });

  test('carries out a transaction once that comes twice with one token', async ({ skip }) => {
    const client = clientOr(skip);
    const once = { TableName, Item: key('once'), ConditionExpression: 'attribute_not_exists(pk)' };
    const request = { ClientRequestToken: 'token', TransactItems: [{ Put: once }] };
    await client.send(new TransactWriteItemsCommand(request));
    await client.send(new TransactWriteItemsCommand(request));
    const other = { ...request, TransactItems: [putting(key('another'))] };
    await expect(client.send(new TransactWriteItemsCommand(other))).rejects.toThrow(
      expect.objectContaining({ name: 'IdempotentParameterMismatchException' }),
    );
  });
});
