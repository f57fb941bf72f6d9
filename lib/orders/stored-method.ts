import * as z from 'zod/mini';
import { checkedFields, lazily, type StoredItem } from '../platform/dynamo/items.ts';

/*
 * The item `METHOD#<method id>`: the token of a payment's method, as the user sent it. It is large and short-lived, so
 * it stands beside the order's item.
 */

const METHOD_SCHEMA_VERSION = 1;

const schema = lazily(() => z.object({ token: z.string() }));

/** Update that keeps a token, which the database may remove at `untilMs`. Only an order is written by a put. */
export function methodUpdate(methodId: string, token: string, untilMs: number) {
  return {
    Key: methodKey(methodId),
    UpdateExpression:
      'SET #type = :type, schemaVersion = :schemaVersion, #token = :token, #ttl = :ttl',
    ExpressionAttributeNames: { '#type': 'type', '#token': 'token', '#ttl': 'ttl' },
    ExpressionAttributeValues: {
      ':type': 'METHOD',
      ':schemaVersion': METHOD_SCHEMA_VERSION,
      ':token': token,
      ':ttl': Math.ceil(untilMs / 1000),
    },
  };
}

/**
 * The token in an item of the table.
 * @throws MalformedItem, UnknownSchemaVersion
 */
export function methodToken(item: StoredItem): string {
  return checkedFields(item, METHOD_SCHEMA_VERSION, schema()).token;
}

export function methodKey(methodId: string) {
  return { pk: `METHOD#${methodId}` };
}
