import {
  BatchWriteItemCommand,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { createThings, type RunningStore, startMemoryStore, TABLE } from './stores.ts';

const { TableName } = TABLE;
const KIB = 1024;

let clock: ManualClock;
let store: RunningStore;

beforeEach(async () => {
  clock = new ManualClock();
  store = await startMemoryStore({ writeUnitsPerItemPerSecond: 1000, now: clock.now });
  await createThings(store);
});

afterEach(() => store.stop());

const Key = (name: string) => ({ pk: { S: name } });
/** An item of that many write units: names and key are the four bytes beside its text. */
const itemOf = (name: string, units: number) => ({
  ...Key(name),
  v: { S: 'x'.repeat(units * KIB - 4) },
});
const put = (name: string, units: number) =>
  store.client.send(new PutItemCommand({ TableName, Item: itemOf(name, units) }));
const transaction = (...items: [name: string, units: number][]) =>
  store.client.send(
    new TransactWriteItemsCommand({
      TransactItems: items.map((item) => ({ Put: { TableName, Item: itemOf(...item) } })),
    }),
  );

/** Spends write units on one item that was small before; it only grows, by puts of up to 400. */
async function spend(name: string, units: number): Promise<void> {
  const rest = units % 400;
  if (rest > 0) await put(name, rest);
  for (let left = units - rest; left > 0; left -= 400) await put(name, 400);
}

const throttled = expect.objectContaining({ name: 'ProvisionedThroughputExceededException' });

describe('1,000 write units a second an item', () => {
  test('are there at once, and then as they come in', async () => {
    await spend('a', 1000);
    await expect(put('a', 1)).rejects.toThrow(throttled);
    clock.advance(1);
    await expect(put('a', 1)).rejects.toThrow(throttled);
  });

  test('come in evenly: one a millisecond', async () => {
    for (let n = 0; n < 600; n += 1) await put('a', 1);
    await spend('a', 400);
    await expect(put('a', 2)).rejects.toThrow(throttled);
    clock.advance(399);
    await expect(put('a', 400)).rejects.toThrow(throttled);
    clock.advance(1);
    await put('a', 400);
    clock.advance(60_000);
    await put('a', 400);
    await put('a', 400);
    await expect(put('a', 400)).rejects.toThrow(throttled);
  });

  test('are each item’s own, and reads take none', async () => {
    await spend('a', 1000);
    await put('b', 400);
    await store.client.send(new GetItemCommand({ TableName, Key: Key('a') }));
    await expect(put('a', 1)).rejects.toThrow(throttled);
  });

  test('are counted by the larger of the item before and after, and for a failed condition', async () => {
    await put('a', 400);
    const condition = { ConditionExpression: 'attribute_not_exists(pk)' };
    const refused = new PutItemCommand({ TableName, Item: itemOf('a', 1), ...condition });
    await expect(store.client.send(refused)).rejects.toThrow('conditional request failed');
    const smaller = new UpdateItemCommand({
      TableName,
      Key: Key('a'),
      UpdateExpression: 'REMOVE v',
    });
    await expect(store.client.send(smaller)).rejects.toThrow(throttled);
    clock.advance(200);
    await store.client.send(smaller);
  });

  test('are taken twice in a transaction, which names the item that has none left', async () => {
    await transaction(['a', 400], ['b', 1]);
    await expect(transaction(['b', 1], ['a', 101])).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ThrottlingError' }],
    });
    // The failed transaction spent nothing: b has 1,000 units minus two.
    await spend('b', 998);
    await expect(put('b', 1)).rejects.toThrow(throttled);
    clock.advance(601);
    await transaction(['a', 400]);
  });

  test('that are lacking leave a write of a batch undone', async () => {
    await spend('a', 1000);
    const batch = new BatchWriteItemCommand({
      RequestItems: {
        [TableName]: ['a', 'b'].map((name) => ({ PutRequest: { Item: Key(name) } })),
      },
    });
    const { UnprocessedItems: left } = await store.client.send(batch);
    expect(left).toEqual({ [TableName]: [{ PutRequest: { Item: Key('a') } }] });
  });
});
