import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { documentClient } from '../../lib/platform/dynamo/database-client.ts';
import { isUnreadable, readItems, throwUnavailable } from '../../lib/platform/dynamo/items.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';

export type Item = Readonly<Record<string, unknown>>;

/** DynamoDB's limit of keys per BatchGetItem. */
const BATCH_SIZE = 100;

export interface ScanOptions {
  readonly table: string;
  /** Item types to return; all others are skipped. */
  readonly types: readonly string[];
  /** Items of any type read per page. */
  readonly pageSize: number;
  /** By default, all attributes. */
  readonly attributes?: readonly string[];
}

/**
 * Reads a whole table consistently, one page in memory at a time.
 * @throws InfrastructureUnavailable
 */
export async function* pagesOf(
  { aws }: Runtime,
  { table, types, pageSize, attributes }: ScanOptions,
): AsyncGenerator<readonly Item[]> {
  const names = Object.fromEntries((attributes ?? []).map((name) => [`#${name}`, name]));
  let startKey: Record<string, unknown> | undefined;
  do {
    const scan = new ScanCommand({
      TableName: table,
      ConsistentRead: true,
      Limit: pageSize,
      ExclusiveStartKey: startKey,
      FilterExpression: `#type IN (${types.map((type) => `:${type}`).join(', ')})`,
      ExpressionAttributeNames: { '#type': 'type', ...names },
      ExpressionAttributeValues: Object.fromEntries(types.map((type) => [`:${type}`, type])),
      ...(attributes === undefined ? {} : { ProjectionExpression: Object.keys(names).join(', ') }),
    });
    const page = await documentClient(aws).send(scan).catch(throwUnavailable);
    yield page.Items ?? [];
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
}

/**
 * Reads any number of items by their keys, consistently.
 * @returns the items that exist, by `pk`.
 * @throws InfrastructureUnavailable
 */
export async function itemsOf(
  { aws }: Runtime,
  table: string,
  keys: Iterable<string>,
): Promise<ReadonlyMap<string, Item>> {
  const all = [...new Set(keys)];
  const found = new Map<string, Item>();
  for (let start = 0; start < all.length; start += BATCH_SIZE) {
    const batch = all.slice(start, start + BATCH_SIZE).map((pk) => ({ pk }));
    for (const [pk, item] of await readItems(documentClient(aws), table, batch))
      found.set(pk, item);
  }
  return found;
}

/** The error by which the service refuses an item; undefined if it can read it. */
export function problemWith(item: Item, parse: (item: Item) => unknown): Error | undefined {
  try {
    parse(item);
    return undefined;
  } catch (error) {
    if (isUnreadable(error)) return error;
    throw error;
  }
}
