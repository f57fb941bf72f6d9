import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { createThings, type RunningStore, startMemoryStore, TABLE } from './stores.ts';

const { TableName } = TABLE;
const HOLD_MS = 10;

const clock = new ManualClock();
let store: RunningStore;

beforeEach(async () => {
  store = await startMemoryStore({ holdMs: HOLD_MS, clock });
  await createThings(store);
});

afterEach(() => store.stop());

const Key = (name: string) => ({ pk: { S: name } });
const put = (name: string) => new PutItemCommand({ TableName, Item: Key(name) });
const transaction = (...names: string[]) =>
  new TransactWriteItemsCommand({
    TransactItems: names.map((name) => ({
      Put: { TableName, Item: { ...Key(name), writer: { S: names.join() } } },
    })),
  });

async function writerOf(name: string): Promise<string | undefined> {
  const { Item: item } = await store.client.send(new GetItemCommand({ TableName, Key: Key(name) }));
  return item?.['writer']?.S;
}

/** Sends a transaction; resolves as soon as it holds its items. */
async function begin(...names: string[]): Promise<{ readonly done: Promise<unknown> }> {
  const before = clock.pending;
  const done = store.client.send(transaction(...names));
  await vi.waitFor(() => {
    expect(clock.pending).toBe(before + 1);
  });
  return { done };
}

describe('a transaction in flight', () => {
  test('has a later one at one of its items cancelled, which names the item', async () => {
    const first = await begin('a', 'b');
    await expect(store.client.send(transaction('c', 'b'))).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
    });
    clock.advance(HOLD_MS);
    await first.done;
    expect([await writerOf('a'), await writerOf('b'), await writerOf('c')]).toEqual([
      'a,b',
      'a,b',
      undefined,
    ]);
  });

  test('has a single write of one of its items refused', async () => {
    const first = await begin('a');
    const writes = [
      put('a'),
      new DeleteItemCommand({ TableName, Key: Key('a') }),
      new UpdateItemCommand({ TableName, Key: Key('a'), UpdateExpression: 'REMOVE writer' }),
    ];
    for (const write of writes) {
      await expect(store.client.send(write as PutItemCommand)).rejects.toThrow(
        expect.objectContaining({ name: 'TransactionConflictException' }),
      );
    }
    const batch = new BatchWriteItemCommand({
      RequestItems: {
        [TableName]: ['a', 'z'].map((name) => ({ PutRequest: { Item: Key(name) } })),
      },
    });
    const { UnprocessedItems: left } = await store.client.send(batch);
    expect(left).toEqual({ [TableName]: [{ PutRequest: { Item: Key('a') } }] });
    clock.advance(HOLD_MS);
    await first.done;
    expect(await writerOf('a')).toBe('a');
  });

  test('leaves reads and the writes of other items alone', async () => {
    const first = await begin('a');
    expect(await writerOf('a')).toBeUndefined();
    await store.client.send(put('b'));
    const second = await begin('c');
    clock.advance(HOLD_MS);
    await Promise.all([first.done, second.done]);
    expect([await writerOf('a'), await writerOf('c')]).toEqual(['a', 'c']);
  });

  test('is in nobody’s way once it is over, or was refused', async () => {
    const first = await begin('a');
    clock.advance(HOLD_MS);
    await first.done;
    const condition = { ConditionExpression: 'attribute_not_exists(pk)' };
    const refused = new TransactWriteItemsCommand({
      TransactItems: [
        { Put: { TableName, Item: Key('a'), ...condition } },
        { Put: { TableName, Item: Key('b') } },
      ],
    });
    await expect(store.client.send(refused)).rejects.toThrow('ConditionalCheckFailed, None');
    await store.client.send(put('b'));
    const next = await begin('a', 'b');
    clock.advance(HOLD_MS);
    await next.done;
    expect(await writerOf('a')).toBe('a,b');
  });

  test('that is sent again with its token is still in progress', async () => {
    const request = {
      ClientRequestToken: 'token',
      TransactItems: [{ Put: { TableName, Item: Key('a') } }],
    };
    const first = store.client.send(new TransactWriteItemsCommand(request));
    await vi.waitFor(() => {
      expect(clock.pending).toBe(1);
    });
    const again = store.client.send(new TransactWriteItemsCommand(request));
    await expect(again).rejects.toThrow(
      expect.objectContaining({ name: 'TransactionInProgressException' }),
    );
    clock.advance(HOLD_MS);
    await first;
  });
});

test('transactions that follow each other never collide, those at once do', async () => {
  const real = await startMemoryStore();
  await createThings(real);
  for (let n = 0; n < 50; n += 1) await real.client.send(transaction('a'));
  const all = Array.from({ length: 20 }, () => real.client.send(transaction('a')));
  const outcomes = (await Promise.allSettled(all)).map(({ status }) => status);
  await real.stop();
  expect(outcomes).toContain('fulfilled');
  expect(outcomes).toContain('rejected');
});
