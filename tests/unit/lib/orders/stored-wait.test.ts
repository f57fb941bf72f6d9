import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from 'vitest';
import type { Wait } from '../../../../lib/orders/stored-wait.ts';
import { toWaitToken, waitKey, waitUpdate } from '../../../../lib/orders/stored-wait.ts';
import { MalformedItem, UnknownSchemaVersion } from '../../../../lib/platform/dynamo/items.ts';
import { MemoryDynamoDb } from '../../../../local/dynamodb/memory-dynamodb.ts';
import { NOW_MS, waitOf } from './fakes.ts';

const ITEM = {
  pk: 'WAIT#ord_1',
  type: 'WAIT',
  schemaVersion: 1,
  run: 2,
  enteredAtMs: NOW_MS,
  retryCount: 3,
  token: 'secret-token',
  ttl: NOW_MS / 1000 + 2 * 24 * 3600,
};

const wait = (changes: Partial<Wait> = {}): Wait =>
  waitOf('secret-token', { enteredAtMs: NOW_MS, retryCount: 3, ...changes });

/** A table in which waits are stored one after the other. */
function table() {
  const database = new MemoryDynamoDb();
  database.createTable({
    TableName: 'orders',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  });
  const carryOut = (name: string, request: object) =>
    database.operations.get(name)?.(request as never) as {
      readonly Item?: Record<string, AttributeValue>;
    };
  return {
    store: (one: Wait) => {
      const { Key, ExpressionAttributeValues: values, ...update } = waitUpdate(one);
      carryOut('UpdateItem', {
        TableName: 'orders',
        ...update,
        Key: marshall(Key),
        ExpressionAttributeValues: marshall(values),
      });
    },
    get: () => {
      const { Item } = carryOut('GetItem', {
        TableName: 'orders',
        Key: marshall(waitKey('ord_1')),
      });
      return unmarshall(Item ?? {});
    },
  };
}

describe('a wait', () => {
  test('is one item, which the table drops after two days', () => {
    const { store, get } = table();
    store(wait());
    expect(get()).toEqual(ITEM);
  });

  test.each([
    ['the same attempt', {}],
    ['a later try', { retryCount: 4 }],
    ['a later passage', { enteredAtMs: NOW_MS + 1, retryCount: 0 }],
    ['a later run, on a slow clock', { run: 3, enteredAtMs: NOW_MS - 9, retryCount: 0 }],
  ])('makes room for %s', (_what, changes) => {
    const { store, get } = table();
    store(wait());
    store(wait({ ...changes, token: 'other-token' }));
    expect(get()).toMatchObject({ ...changes, token: 'other-token' });
  });

  test.each([
    ['an earlier try', { retryCount: 2 }],
    ['an earlier passage', { enteredAtMs: NOW_MS - 1, retryCount: 4 }],
    ['an earlier run', { run: 1, enteredAtMs: NOW_MS + 9, retryCount: 4 }],
  ])('makes no room for %s', (_what, changes) => {
    const { store, get } = table();
    store(wait());
    expect(() => {
      store(wait({ ...changes, token: 'other-token' }));
    }).toThrow('The conditional request failed');
    expect(get()).toEqual(ITEM);
  });

  test('is read as its token', () => {
    expect(toWaitToken(ITEM)).toBe('secret-token');
  });

  test('that is malformed, or of a newer version, is refused by name, and shows no token', () => {
    const malformed = () => toWaitToken({ ...ITEM, token: ['secret-token'] });
    expect(malformed).toThrow(MalformedItem);
    expect(malformed).toThrow(/^WAIT#ord_1 is malformed at token\.$/);
    expect(() => toWaitToken({ ...ITEM, schemaVersion: 2 })).toThrow(UnknownSchemaVersion);
  });
});
