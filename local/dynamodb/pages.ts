import type { QueryCommandInput, ScanCommandInput } from '@aws-sdk/client-dynamodb';
import { onlyKnown, UnsupportedRequest } from '../aws/aws-error.ts';
import { equalValueOf, fulfils, namesIn } from './conditions.ts';
import { itemBytes } from './item-size.ts';
import { LIMITS } from './limits.ts';
import {
  assertNameIsFree,
  assertPlaceholdersMatch,
  nameOf,
  type Placeholders,
  placeholdersOf,
} from './placeholders.ts';
import { invalidRequest } from './refusals.ts';
import type { Table, View } from './table.ts';
import type { Item } from './values.ts';

interface Page {
  readonly Items: readonly Item[];
  readonly Count: number;
  readonly ScannedCount: number;
  readonly LastEvaluatedKey?: Item;
}

/** Reads one page of the items with one hash key, from a table or an index. */
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
  assertPlaceholdersMatch(request, [condition]);
  for (const name of namesIn(condition, placeholders)) {
    if (name !== view.hashKey && name !== view.rangeKey) {
      throw new UnsupportedRequest(`Query by ${name}, which is no key`);
    }
  }
  const hash = equalValueOf(view.hashKey, condition, placeholders);
  if (hash === undefined) {
    throw invalidRequest(`Query condition missed key schema element: ${view.hashKey}`);
  }
  const start = startOf(view, request);
  const isForward = request.ScanIndexForward !== false;
  const entries = table.entries(view, { [view.hashKey]: hash }, start, isForward);
  return pageOf(view, entries, request, (item) => fulfils(item, condition, placeholders));
}

/** Reads one page of a whole table. */
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
  assertPlaceholdersMatch(request, [filter, projection]);
  const page = pageOf(view, table.scan(startOf(view, request)), request, () => true);
  const kept = page.Items.filter(
    (item) => filter === undefined || fulfils(item, filter, placeholders),
  );
  const Items = projection === undefined ? kept : project(kept, projection, placeholders);
  return { ...page, Items, Count: Items.length };
}

function startOf(
  view: View,
  { ExclusiveStartKey: start }: QueryCommandInput | ScanCommandInput,
): Item | undefined {
  if (start === undefined) return undefined;
  const isKey =
    Object.keys(start).length === view.keyNames.length &&
    view.keyNames.every((name) => start[name] !== undefined);
  if (!isKey) throw invalidRequest('The provided starting key is invalid');
  return start;
}

/** A page ends at `Limit`, or with the item that exceeds the page size. */
function pageOf(
  view: View,
  entries: Iterable<Item>,
  { Limit: limit }: QueryCommandInput | ScanCommandInput,
  isFound: (item: Item) => boolean,
): Page {
  if (limit !== undefined && limit < 1) {
    throw invalidRequest('Limit must be greater than or equal to 1');
  }
  const page: Item[] = [];
  let bytes = 0;
  let isCutShort = false;
  for (const item of entries) {
    if (!isFound(item)) continue;
    if (bytes > LIMITS.pageBytes) {
      isCutShort = true;
      break;
    }
    const entry = pick(item, view.projected);
    page.push(entry);
    bytes += itemBytes(entry);
    // A full page reports that it is cut short, even if nothing follows it.
    if (page.length === limit) {
      isCutShort = true;
      break;
    }
  }
  const last = page.at(-1);
  return {
    Items: page,
    Count: page.length,
    ScannedCount: page.length,
    ...(isCutShort && last !== undefined ? { LastEvaluatedKey: pick(last, view.keyNames) } : {}),
  };
}

function project(
  items: readonly Item[],
  projection: string,
  placeholders: Placeholders,
): readonly Item[] {
  const names = projection.split(',').map((name) => {
    assertNameIsFree(name.trim());
    return nameOf(name.trim(), placeholders);
  });
  return items.map((item) => pick(item, names));
}

function pick(item: Item, names: readonly string[] | undefined): Item {
  if (names === undefined) return item;
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}
