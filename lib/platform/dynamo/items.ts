import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type Clock, sleep } from '../clock.ts';
import { InfrastructureUnavailable } from '../errors.ts';

/** Reason for which a conditional write or a transaction wrote nothing. */
export type WriteRefusal =
  /** A condition no longer holds; `failed` lists the positions in the transaction. */
  | { readonly kind: 'CONDITION'; readonly failed: readonly number[] }
  /** Another transaction was writing the same item. */
  | { readonly kind: 'CONFLICT' };

/**
 * Runs one conditional write or transaction.
 * @returns undefined if it was written, otherwise the reason.
 * @throws InfrastructureUnavailable if the database failed or did not answer: it may have been written.
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

/** Result of an attempt that lost against another writer: read again and decide anew. */
export const CONFLICT = Symbol('CONFLICT');

export interface RetryPolicy {
  readonly attempts: number;
  /** Full jitter below a ceiling that doubles from `baseMs` to `capMs`. Default: no pause. */
  readonly pause?: { readonly baseMs: number; readonly capMs: number };
}

/**
 * Repeats a conditional write until no other writer interferes. Each attempt reads, decides and
 * writes; it returns CONFLICT if the write lost.
 * @returns CONFLICT if every attempt lost.
 */
export async function retryOptimistically<Result>(
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
  { attempts, pause }: RetryPolicy,
  attempt: () => Promise<Result | typeof CONFLICT>,
): Promise<Result | typeof CONFLICT> {
  for (let tries = 1; ; tries += 1) {
    const result = await attempt();
    if (result !== CONFLICT || tries === attempts) return result;
    if (pause === undefined) continue;
    const ceilingMs = Math.min(pause.capMs, pause.baseMs * 2 ** (tries - 1));
    await sleep(clock, Math.floor(random() * ceilingMs));
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
 * Reads up to a hundred items of one table consistently, in as many calls as the database needs.
 * @returns the items found, by `pk`.
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
 * Condition of every status change: the item still has the status and version that the decision was
 * made on. If there was no item, there still is none.
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

/** Sparse index over due items: spread over partitions, sorted by due time. */
export interface TimedIndex {
  readonly table: string;
  readonly index: string;
  readonly shardAttribute: string;
  readonly timeAttribute: string;
}

/** Small enough that the pages of all shards fit into a function's memory many times over. */
const DUE_PAGE_ITEMS = 100;

/**
 * Reads the items of one shard that were due at `nowMs`, page by page, the oldest first. Items have
 * only the attributes of the index.
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
