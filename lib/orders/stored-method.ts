import * as z from 'zod/mini';
import { checkedFields, lazily, type StoredItem, updateOf } from '../platform/dynamo/items.ts';

/*
 * The item `METHOD#<method id>`: the token of a payment's method, as the user sent it. It is large and short-lived, so
 * it stands beside the order's item.
 */

const SCHEMA_VERSION = 1;

const schema = lazily(() => z.object({ token: z.exactOptional(z.string()) }));

/**
 * Update that keeps a token, which the database may remove at `untilMs`. Of the items of an order, only its own is
 * written by a put.
 */
export function methodUpdate(methodId: string, token: string, untilMs: number) {
  const ttl = Math.ceil(untilMs / 1000);
  return {
    Key: methodKey(methodId),
    ...updateOf({ type: 'METHOD', schemaVersion: SCHEMA_VERSION, token, ttl }),
  };
}

/**
 * The token in an item of the table; undefined if it is removed.
 * @throws MalformedItem, UnknownSchemaVersion
 */
export function methodToken(item: StoredItem): string | undefined {
  return checkedFields(item, SCHEMA_VERSION, schema()).token;
}

export function methodKey(methodId: string) {
  return { pk: `METHOD#${methodId}` };
}
