import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { readItems } from '../../../../../lib/platform/dynamo/items.ts';
import { DatabaseThrottled } from '../../../../../lib/platform/errors.ts';

type Keys = readonly { readonly pk: string }[];
interface BatchGet {
  readonly input: { readonly RequestItems: Readonly<Record<string, { readonly Keys: Keys }>> };
}

/** A table that has all items except `absent`, and returns two per request. */
function twoAtATime(absent: readonly string[]) {
  const requests: Keys[] = [];
  const client = {
    send({ input }: BatchGet) {
      const keys = input.RequestItems['table']?.Keys ?? [];
      requests.push(keys);
      const handedOut = keys.slice(0, 2).filter(({ pk }) => !absent.includes(pk));
      const rest = keys.slice(2);
      return Promise.resolve({
        Responses: { table: handedOut.map(({ pk }) => ({ pk, name: `the ${pk}` })) },
        UnprocessedKeys: rest.length === 0 ? {} : { table: { Keys: rest } },
      });
    },
  };
  return { requests, client: client as unknown as DynamoDBDocumentClient };
}

test('what the database did not get to is asked for again', async () => {
  const { client, requests } = twoAtATime(['b']);

  const items = await readItems(client, 'table', [{ pk: 'a' }, { pk: 'b' }, { pk: 'c' }]);

  expect(Object.fromEntries(items)).toEqual({
    a: { pk: 'a', name: 'the a' },
    c: { pk: 'c', name: 'the c' },
  });
  expect(requests).toEqual([[{ pk: 'a' }, { pk: 'b' }, { pk: 'c' }], [{ pk: 'c' }]]);
});

test('a table that gets to nothing is throttled, after a few tries', async () => {
  const { client, requests } = twoAtATime([]);
  const keys = Array.from({ length: 12 }, (_, index) => ({ pk: String(index) }));
  await expect(readItems(client, 'table', keys)).rejects.toBeInstanceOf(DatabaseThrottled);
  expect(requests).toHaveLength(5);
});

test('nothing is asked for where nothing is wanted', async () => {
  const { client, requests } = twoAtATime([]);
  expect([...(await readItems(client, 'table', []))]).toEqual([]);
  expect(requests).toEqual([]);
});
