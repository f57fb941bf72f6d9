import * as z from 'zod/mini';
import { checkedFields, lazily, type StoredItem } from '../platform/dynamo/items.ts';
import type { OpenOrderEntry, OpenOrders } from './open-orders.ts';
import { openOrdersKey } from './stored-order.ts';

/*
 * The item `USER#<sub>` of a user's open orders: an attribute for each entry, so that one update enters the
 * user's first order and any later one. Of the orders of the same items, the first has the digest alone as its
 * name: `items_5f0c…`, `items_5f0c…#ord_91b7…`. Hence the update that enters an order needs to look at one name
 * only.
 */

export const OPEN_ORDERS_SCHEMA_VERSION = 1;
export const OPEN_ORDERS_TYPE = 'OPEN_ORDERS';

const schema = lazily(() =>
  z.catchall(
    z.object({
      pk: z.string(),
      type: z.string(),
      schemaVersion: z.int(),
      version: z.int(),
      entryCount: z.int(),
    }),
    z.object({ orderId: z.string(), atMs: z.number(), version: z.int() }),
  ),
);

/**
 * The open orders in an item of the table; none if there is no item.
 * @throws MalformedItem, UnknownSchemaVersion
 */
export function toOpenOrders(item: StoredItem | undefined): OpenOrders {
  if (item === undefined) return { version: 0, entries: [] };
  const {
    version,
    entryCount: _,
    ...named
  } = checkedFields(item, OPEN_ORDERS_SCHEMA_VERSION, schema());
  const entries: OpenOrderEntry[] = [];
  for (const [name, entry] of Object.entries(named)) {
    const [itemsKey = name] = name.split('#');
    entries.push({ itemsKey, ...(entry as Omit<OpenOrderEntry, 'itemsKey'>) });
  }
  return { version, entries: entries.sort((older, newer) => older.atMs - newer.atMs) };
}

/** Item of these open orders, which are written over those of `version`. */
export function openOrdersItem(
  userId: string,
  entries: readonly OpenOrderEntry[],
  { version }: OpenOrders,
) {
  const named: Record<string, Omit<OpenOrderEntry, 'itemsKey'>> = {};
  for (const { itemsKey, ...entry } of entries) {
    named[Object.hasOwn(named, itemsKey) ? `${itemsKey}#${entry.orderId}` : itemsKey] = entry;
  }
  return {
    ...openOrdersKey(userId),
    type: OPEN_ORDERS_TYPE,
    schemaVersion: OPEN_ORDERS_SCHEMA_VERSION,
    version: version + 1,
    entryCount: entries.length,
    ...named,
  };
}
