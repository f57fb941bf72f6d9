import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { InfrastructureUnavailable } from '../errors.ts';

/** Why a conditional write or a transaction did not happen; nothing of it was written. */
export type WriteRefusal =
  /** A condition no longer holds; `failed` lists the positions in the transaction. */
  | { readonly kind: 'CONDITION'; readonly failed: readonly number[] }
  /** Only another transaction at the same item stood in the way. */
  | { readonly kind: 'CONFLICT' };

/**
 * Runs one conditional write or transaction.
 * @returns undefined where it was written, otherwise why not.
 * @throws InfrastructureUnavailable where the database failed or did not answer: unknown, try again.
 */
export async function conditionalWrite(
  write: () => Promise<unknown>,
): Promise<WriteRefusal | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return { kind: 'CONDITION', failed: [0] };
    if (error instanceof TransactionConflictException) return { kind: 'CONFLICT' };
    if (error instanceof TransactionCanceledException) {
      const codes = (error.CancellationReasons ?? []).map((reason) => reason.Code);
      const failed = codes.flatMap((code, index) =>
        code === 'ConditionalCheckFailed' ? [index] : [],
      );
      if (failed.length > 0) return { kind: 'CONDITION', failed };
      if (codes.includes('TransactionConflict')) return { kind: 'CONFLICT' };
    }
    throw unavailable(error);
  }
}

/**
 * Runs one read.
 * @throws InfrastructureUnavailable with the SDK's error as `cause`.
 */
export async function databaseRead<Output>(read: () => Promise<Output>): Promise<Output> {
  try {
    return await read();
  } catch (error) {
    throw unavailable(error);
  }
}

/**
 * Reads up to a hundred items of one table consistently, in as many goes as the database needs.
 * @returns what there is, by `pk`.
 * @throws InfrastructureUnavailable
 */
export async function readItems(
  documents: DynamoDBDocumentClient,
  table: string,
  keys: readonly { readonly pk: string }[],
): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  const items = new Map<string, Readonly<Record<string, unknown>>>();
  let missing: Record<string, unknown>[] = [...keys];
  while (missing.length > 0) {
    const request = { RequestItems: { [table]: { Keys: missing, ConsistentRead: true } } };
    const output = await databaseRead(() => documents.send(new BatchGetCommand(request)));
    for (const item of output.Responses?.[table] ?? []) items.set(String(item['pk']), item);
    missing = output.UnprocessedKeys?.[table]?.Keys ?? [];
  }
  return items;
}

function unavailable(cause: unknown): InfrastructureUnavailable {
  return new InfrastructureUnavailable('The database did not answer; try again.', {
    cause,
    retryAfterSeconds: 1,
  });
}

/**
 * The condition of every status change: the item still has the status and version that the decision
 * was made on; where there was none, there still is none.
 */
export function stillAsRead(
  previous: { readonly status: string; readonly version: number } | undefined,
) {
  return previous === undefined
    ? { ConditionExpression: 'attribute_not_exists(pk)' }
    : {
        ConditionExpression: '#status = :statusAsRead AND version = :versionAsRead',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: {
          ':statusAsRead': previous.status,
          ':versionAsRead': previous.version,
        },
      };
}

/** A sparse index whose partitions share out what falls due, sorted by when it does. */
export interface TimedIndex {
  readonly table: string;
  readonly index: string;
  readonly shardAttribute: string;
  readonly timeAttribute: string;
}

/** Few enough that the pages of all shards fit into a function's memory many times over. */
const DUE_PAGE_ITEMS = 100;

/**
 * What was due in one shard at `nowMs`, page by page, what has been due for longest first. Of each
 * item there is only what the index holds.
 * @throws InfrastructureUnavailable
 */
export async function* duePages(
  documents: DynamoDBDocumentClient,
  { table, index, shardAttribute, timeAttribute }: TimedIndex,
  shard: string,
  nowMs: number,
): AsyncGenerator<readonly Readonly<Record<string, unknown>>[]> {
  let startKey: Record<string, unknown> | undefined;
  do {
    const page = await databaseRead(() =>
      documents.send(
        new QueryCommand({
          TableName: table,
          IndexName: index,
          KeyConditionExpression: '#shard = :shard AND #time <= :now',
          ExpressionAttributeNames: { '#shard': shardAttribute, '#time': timeAttribute },
          ExpressionAttributeValues: { ':shard': shard, ':now': nowMs },
          ExclusiveStartKey: startKey,
          Limit: DUE_PAGE_ITEMS,
        }),
      ),
    );
    yield page.Items ?? [];
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
}
