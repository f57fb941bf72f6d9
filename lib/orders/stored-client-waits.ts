import { updateOf } from '../platform/dynamo/items.ts';

/*
 * The items `WAITS#<n>`: how many calls began to wait for longer than a moment in the n-th window since 1970. A place is
 * not given back: a window is as long as the longest wait, so there are never more of them than in two windows.
 */

const SCHEMA_VERSION = 1;
const WINDOW_SECONDS = 10;
/** Nobody reads a window that is over. */
const KEPT_SECONDS = 3600;

/** Update that takes one of the window's places, if one is left. */
export function waitPlaceUpdate(nowMs: number, most: number) {
  const window = Math.floor(nowMs / 1000 / WINDOW_SECONDS);
  const { UpdateExpression, ExpressionAttributeNames, ExpressionAttributeValues } = updateOf({
    type: 'WAITS',
    schemaVersion: SCHEMA_VERSION,
    ttl: window * WINDOW_SECONDS + KEPT_SECONDS,
  });
  return {
    Key: { pk: `WAITS#${String(window)}` },
    UpdateExpression: `${UpdateExpression} ADD places :one`,
    ConditionExpression: 'attribute_not_exists(places) OR places < :most',
    ExpressionAttributeNames,
    ExpressionAttributeValues: { ...ExpressionAttributeValues, ':one': 1, ':most': most },
  };
}
