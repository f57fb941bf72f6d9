import { atMost } from '../concurrency.ts';

/** What a scheduled operation works through in one round. */
export interface DueWork<Item> {
  readonly shardCount: number;
  /** The shards take turns at being first, so that none starves where rounds are cut short. */
  readonly firstShard: number;
  /** What is due in one shard, page by page. */
  readonly pagesOf: (shard: number) => AsyncIterable<readonly Item[]>;
  /** For how long an item has been due. */
  readonly overdueMs: (item: Item) => number;
  /** How many items are handled at the same time. */
  readonly concurrency: number;
  /** Answers whether there was something to do. Its failures are its own to report. */
  readonly handle: (item: Item) => Promise<boolean>;
  /** False when nothing new is to be begun any more. */
  readonly hasTime: () => boolean;
}

/** What came of one round. */
export interface Round {
  readonly handled: number;
  /** Time was up before everything was done: the next round goes on. */
  readonly isCutShort: boolean;
  /** How many were read and not begun; behind them there may be others that were not even read. */
  readonly left: number;
  /** For how long the oldest item that was read had been due; 0 where nothing was. */
  readonly oldestOverdueMs: number;
  /** Shards that could not be read to their end, and why. */
  readonly unread: readonly { readonly shard: number; readonly error: unknown }[];
}

/**
 * Reads all shards at once and handles what is due in them, oldest first in each. A shard that
 * cannot be read keeps nobody from the others. Of each shard one page is in memory at a time.
 */
export async function workThrough<Item>(work: DueWork<Item>): Promise<Round> {
  const { shardCount, firstShard, pagesOf, overdueMs, handle, hasTime } = work;
  const inTurn = atMost(work.concurrency);
  const unread: { shard: number; error: unknown }[] = [];
  let handled = 0;
  let left = 0;
  let oldestOverdueMs = 0;
  let isCutShort = false;

  const handleInTime = async (item: Item) => {
    if (!hasTime()) left += 1;
    else if (await handle(item)) handled += 1;
  };
  const workThroughShard = async (shard: number) => {
    try {
      for await (const page of pagesOf(shard)) {
        const [oldest] = page;
        if (oldest !== undefined) oldestOverdueMs = Math.max(oldestOverdueMs, overdueMs(oldest));
        await Promise.all(page.map((item) => inTurn(() => handleInTime(item))));
        if (hasTime()) continue;
        isCutShort = true;
        return;
      }
    } catch (error) {
      unread.push({ shard, error });
    }
  };

  await Promise.all(
    Array.from({ length: shardCount }, (_none, turn) =>
      workThroughShard((firstShard + turn) % shardCount),
    ),
  );
  return { handled, isCutShort, left, oldestOverdueMs, unread };
}
