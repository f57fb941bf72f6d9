import * as z from 'zod/mini';
import { checkedFields, lazily, type StoredItem, updateOf } from '../platform/dynamo/items.ts';

/** One attempt of a state that waits, with its task token. */
export interface Wait {
  readonly orderId: string;
  readonly run: number;
  /** Time at which the run entered the state. */
  readonly enteredAtMs: number;
  /** Retries of the state since then. */
  readonly retryCount: number;
  readonly token: string;
}

const SCHEMA_VERSION = 1;

/** Longer than any wait, which settings allow to last a day, and than any late duplicate of its step. */
const KEPT_SECONDS = 2 * 24 * 60 * 60;

const schema = lazily(() =>
  z.object({
    run: z.int(),
    enteredAtMs: z.number(),
    retryCount: z.int(),
    token: z.string(),
    ttl: z.int(),
  }),
);

/**
 * The task token in an item of the table.
 * @throws MalformedItem, UnknownSchemaVersion
 */
export function toWaitToken(item: StoredItem): string {
  return checkedFields(item, SCHEMA_VERSION, schema()).token;
}

/**
 * Update that stores a wait, unless a newer attempt has stored its own. The same attempt may repeat it. Of the items of
 * an order, only its own is written by a put.
 */
export function waitUpdate({ orderId, run, enteredAtMs, retryCount, token }: Wait) {
  const ttl = Math.ceil(enteredAtMs / 1000) + KEPT_SECONDS;
  return {
    Key: waitKey(orderId),
    ...updateOf({
      type: 'WAIT',
      schemaVersion: SCHEMA_VERSION,
      run,
      enteredAtMs,
      retryCount,
      token,
      ttl,
    }),
    ConditionExpression:
      'attribute_not_exists(pk) OR run < :run OR (run = :run AND ' +
      '(enteredAtMs < :enteredAtMs OR (enteredAtMs = :enteredAtMs AND retryCount <= :retryCount)))',
  };
}

export function waitKey(orderId: string) {
  return { pk: `WAIT#${orderId}` };
}
