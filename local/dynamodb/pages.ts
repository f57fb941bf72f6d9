import type { QueryCommandInput, ScanCommandInput } from '@aws-sdk/client-dynamodb';
import { onlyKnown, UnknownToTheWorld } from '../aws/aws-error.ts';
import { fulfils, namesIn } from './conditions.ts';
import { nameOf, type Placeholders, placeholdersOf } from './placeholders.ts';
import type { Table, View } from './table.ts';
import type { Item } from './values.ts';

interface Page {
  readonly Items: readonly Item[];
  readonly Count: number;
  readonly ScannedCount: number;
  readonly LastEvaluatedKey?: Item;
}

/** One page of what has a key in a table or an index; pages end at `Limit` only, not at a megabyte. */
export function query(table: Table, request: QueryCommandInput): Page {
  onlyKnown('Query', request, [
    'TableName',
    'IndexName',
    'KeyConditionExpression',
    'ExpressionAttributeNames',
    'ExpressionAttributeValues',
    'ScanIndexForward',
    'Limit',
    'ExclusiveStartKey',
    'ConsistentRead',
  ]);
  const view = table.view(request.IndexName ?? undefined);
  const placeholders = placeholdersOf(request);
  const condition = request.KeyConditionExpression ?? '';
  for (const name of namesIn(condition, placeholders)) {
    if (name !== view.hashKey && name !== view.rangeKey) {
      throw new UnknownToTheWorld(`Query by ${name}, which is no key`);
    }
  }
  const found = table.entries(view).filter((item) => fulfils(item, condition, placeholders));
  const isForward = request.ScanIndexForward !== false;
  return pageOf(table, view, isForward ? found : found.reverse(), request, isForward);
}

/** One page of a whole table, in the order of its keys; DynamoDB's own order says nothing. */
export function scan(table: Table, request: ScanCommandInput): Page {
  onlyKnown('Scan', request, [
    'TableName',
    'FilterExpression',
    'ProjectionExpression',
    'ExpressionAttributeNames',
    'ExpressionAttributeValues',
    'Limit',
    'ExclusiveStartKey',
    'ConsistentRead',
  ]);
  const view = table.view(undefined);
  const placeholders = placeholdersOf(request);
  const { FilterExpression: filter, ProjectionExpression: projection } = request;
  const page = pageOf(table, view, table.entries(view), request, true);
  const kept = page.Items.filter(
    (item) => filter === undefined || fulfils(item, filter, placeholders),
  );
  const Items = projection === undefined ? kept : project(kept, projection, placeholders);
  return { ...page, Items, Count: Items.length };
}

function pageOf(
  table: Table,
  view: View,
  entries: readonly Item[],
  { Limit: limit, ExclusiveStartKey: startKey }: QueryCommandInput | ScanCommandInput,
  isForward: boolean,
): Page {
  const rest =
    startKey === undefined
      ? entries
      : entries.filter((item) => table.order(view, item, startKey) * (isForward ? 1 : -1) > 0);
  const page = limit === undefined ? rest : rest.slice(0, limit);
  const last = page.at(-1);
  return {
    Items: page.map((item) => pick(item, view.projected)),
    Count: page.length,
    ScannedCount: page.length,
    // A page that is full says so even where nothing comes after it.
    ...(last === undefined || page.length !== limit
      ? {}
      : { LastEvaluatedKey: pick(last, view.keyNames) }),
  };
}

function project(
  items: readonly Item[],
  projection: string,
  placeholders: Placeholders,
): readonly Item[] {
  const names = projection.split(',').map((name) => nameOf(name.trim(), placeholders));
  return items.map((item) => pick(item, names));
}

function pick(item: Item, names: readonly string[] | undefined): Item {
  if (names === undefined) return item;
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}
