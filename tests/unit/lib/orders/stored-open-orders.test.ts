import { describe, expect, test } from 'vitest';
import type { OpenOrderEntry } from '../../../../lib/orders/open-orders.ts';
import { openOrdersItem, toOpenOrders } from '../../../../lib/orders/stored-open-orders.ts';
import { MalformedItem, UnknownSchemaVersion } from '../../../../lib/platform/dynamo/items.ts';

const NONE = { version: 0, entries: [] };
const entryOf = (orderId: string, itemsKey: string, atMs: number): OpenOrderEntry => ({
  orderId,
  itemsKey,
  atMs,
  version: 1,
});
const ENTRIES = [
  entryOf('ord_1', 'items_a', 1),
  entryOf('ord_2', 'items_b', 2),
  entryOf('ord_3', 'items_a', 3),
];
const ITEM = openOrdersItem('alice', ENTRIES, { version: 6, entries: [] });

describe("a user's open orders", () => {
  test('are one item, in which the first order of its items has their digest as its name', () => {
    expect(ITEM).toEqual({
      pk: 'USER#alice',
      type: 'OPEN_ORDERS',
      schemaVersion: 1,
      version: 7,
      entryCount: 3,
      items_a: { orderId: 'ord_1', atMs: 1, version: 1 },
      items_b: { orderId: 'ord_2', atMs: 2, version: 1 },
      'items_a#ord_3': { orderId: 'ord_3', atMs: 3, version: 1 },
    });
  });

  test('are read as they were written, oldest first', () => {
    expect(toOpenOrders(ITEM)).toEqual({ version: 7, entries: ENTRIES });
    const mixed = openOrdersItem('alice', ENTRIES.toReversed(), NONE);
    expect(toOpenOrders(mixed)).toEqual({ version: 1, entries: ENTRIES });
    expect(toOpenOrders(undefined)).toEqual(NONE);
  });

  test('that are malformed, or of a newer version, are refused by name', () => {
    expect(() => toOpenOrders({ ...ITEM, items_a: { orderId: 'ord_1' } })).toThrow(MalformedItem);
    expect(() => toOpenOrders({ ...ITEM, version: undefined })).toThrow(MalformedItem);
    expect(() => toOpenOrders({ ...ITEM, schemaVersion: 2 })).toThrow(UnknownSchemaVersion);
  });
});
