import type { DynamoDBDocumentClient, QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { duePages } from '../../../../../lib/platform/dynamo/items.ts';
import { InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';

type Answer = { readonly Items: readonly object[]; readonly LastEvaluatedKey?: object } | Error;

/** Answers successive queries. */
function answering(...answers: readonly Answer[]) {
  const queries: QueryCommandInput[] = [];
  const client = {
    send({ input }: { readonly input: QueryCommandInput }) {
      const answer = answers[queries.length];
      queries.push(input);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  return { queries, client: client as unknown as DynamoDBDocumentClient };
}

const INDEX = { table: 'table', index: 'due', shardAttribute: 'shard', timeAttribute: 'atMs' };

test('one shard is read page by page up to the moment, each page only when it is asked for', async () => {
  const { queries, client } = answering(
    { Items: [{ pk: 'a' }, { pk: 'b' }], LastEvaluatedKey: { pk: 'b' } },
    { Items: [], LastEvaluatedKey: { pk: 'c' } },
    { Items: [{ pk: 'd' }] },
  );
  const pages = duePages(client, INDEX, 3, 5000);

  expect((await pages.next()).value).toEqual([{ pk: 'a' }, { pk: 'b' }]);
  expect(queries).toHaveLength(1);
  expect((await pages.next()).value).toEqual([]);
  expect((await pages.next()).value).toEqual([{ pk: 'd' }]);
  expect((await pages.next()).done).toBe(true);

  expect(queries.map(({ ExclusiveStartKey }) => ExclusiveStartKey)).toEqual([
    undefined,
    { pk: 'b' },
    { pk: 'c' },
  ]);
  expect(queries[2]).toMatchObject({
    TableName: 'table',
    IndexName: 'due',
    KeyConditionExpression: '#shard = :shard AND #time <= :now',
    ExpressionAttributeNames: { '#shard': 'shard', '#time': 'atMs' },
    ExpressionAttributeValues: { ':shard': 'due#3', ':now': 5000 },
  });
});

test('a page that the database refuses ends the shard', async () => {
  const { client } = answering(
    { Items: [{ pk: 'a' }], LastEvaluatedKey: { pk: 'a' } },
    new Error('Throttled.'),
  );
  const pages = duePages(client, INDEX, 3, 5000);
  await pages.next();
  await expect(pages.next()).rejects.toBeInstanceOf(InfrastructureUnavailable);
});
