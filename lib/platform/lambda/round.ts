import { atMost } from '../concurrency.ts';

/** Due work of one round of a scheduled operation. */
export interface DueWork<Item> {
  readonly shardCount: number;
  /** The shards take turns at being first, so that none starves if rounds are cut short. */
  readonly firstShard: number;
  /** Reads the due items of one shard, page by page. */
  readonly pagesOf: (shard: number) => AsyncIterable<readonly Item[]>;
  /** Time since the item became due. */
  readonly overdueMs: (item: Item) => number;
  /** Items handled at the same time. */
  readonly concurrency: number;
  /** @returns true if there was something to do. It reports its own failures. */
  readonly handle: (item: Item) => Promise<boolean>;
  /** False once no new item may begin. */
  readonly hasTime: () => boolean;
}

/** Result of one round. */
export interface Round {
  readonly handled: number;
  /** True if time was up before all work was done; the next round goes on. */
  readonly isCutShort: boolean;
  /** Items that were read but not begun. Behind them there may be others that were not read. */
  readonly left: number;
  /** Time since the oldest item read became due; 0 if there was none. */
  readonly oldestOverdueMs: number;
  /** Shards that could not be read to their end, with the errors. */
  readonly unread: readonly { readonly shard: number; readonly error: unknown }[];
}

/**
 * Reads all shards at once and handles their due items, oldest first in each shard. A shard that
 * cannot be read does not stop the others. One page per shard is in memory at a time.
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
