import { describe, expect, test } from 'vitest';
import { type DueWork, workThrough } from '../../../../../lib/platform/lambda/round.ts';

type Pages = Readonly<Record<number, readonly (readonly string[])[]>>;

/** Overdue time of these items; 0 for all others. */
const OVERDUE_MS: Readonly<Record<string, number>> = { old: 90_000, older: 120_000, newer: 30_000 };

/** A round over three shards with these pages; a page with `unreadable` fails its shard. */
function roundOver(pages: Pages, changes: Partial<DueWork<string>> = {}) {
  const handled: string[] = [];
  const read: string[] = [];
  const round = workThrough<string>({
    shardCount: 3,
    firstShard: 0,
    async *pagesOf(shard) {
      for (const [index, page] of (pages[shard] ?? []).entries()) {
        await Promise.resolve();
        read.push(`${shard}.${index}`);
        if (page.includes('unreadable')) throw new Error(`Throttled at ${shard}.${index}`);
        yield page;
      }
    },
    overdueMs: (item) => OVERDUE_MS[item] ?? 0,
    concurrency: 1,
    handle: async (item) => {
      await Promise.resolve();
      handled.push(item);
      return !item.startsWith('idle');
    },
    hasTime: () => true,
    ...changes,
  });
  return { round, handled, read };
}

describe('a round', () => {
  test('handles every page of every shard, and counts what there was to do', async () => {
    const { round, handled } = roundOver({
      0: [['a', 'b'], ['c']],
      1: [['idle']],
      2: [[], ['d']],
    });
    expect(await round).toEqual({
      handled: 4,
      isCutShort: false,
      left: 0,
      oldestOverdueMs: 0,
      unread: [],
    });
    expect(handled.sort()).toEqual(['a', 'b', 'c', 'd', 'idle']);
  });

  test.each([
    [0, ['zero', 'one', 'two']],
    [1, ['one', 'two', 'zero']],
    [2, ['two', 'zero', 'one']],
  ])('begins with shard %i', async (firstShard, order) => {
    const { round, handled } = roundOver(
      { 0: [['zero']], 1: [['one']], 2: [['two']] },
      { firstShard },
    );
    await round;
    expect(handled).toEqual(order);
  });

  test('handles so many at the same time, over all shards together', async () => {
    let running = 0;
    let most = 0;
    const { round } = roundOver(
      { 0: [['a', 'b', 'c']], 1: [['d', 'e'], ['f']], 2: [['g', 'h', 'i', 'j']] },
      {
        concurrency: 4,
        handle: async () => {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
          return true;
        },
      },
    );
    expect((await round).handled).toBe(10);
    expect(most).toBe(4);
  });

  test('tells for how long the oldest of all shards had been due, handled or not', async () => {
    const { round } = roundOver(
      { 0: [['old', 'newer']], 1: [], 2: [['older'], ['newer']] },
      { hasTime: () => false },
    );
    expect((await round).oldestOverdueMs).toBe(120_000);
  });

  test('does all that can be read where a shard cannot, and says which could not', async () => {
    const { round, handled } = roundOver({
      0: [['unreadable'], ['never read']],
      1: [['a'], ['unreadable']],
      2: [['b'], ['c']],
    });
    expect(await round).toEqual({
      handled: 3,
      isCutShort: false,
      left: 0,
      oldestOverdueMs: 0,
      unread: [
        { shard: 0, error: new Error('Throttled at 0.0') },
        { shard: 1, error: new Error('Throttled at 1.1') },
      ],
    });
    expect(handled.sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('a round whose time is up', () => {
  /** A round with time for that many items. */
  function timeFor(items: number, pages: Pages) {
    const begun: string[] = [];
    return {
      begun,
      ...roundOver(pages, {
        handle: (item) => {
          begun.push(item);
          return Promise.resolve(true);
        },
        hasTime: () => begun.length < items,
      }),
    };
  }

  test('begins nothing more, reads nothing more, and says what it leaves', async () => {
    const { round, begun, read } = timeFor(3, {
      0: [['a', 'b'], ['c']],
      1: [['d', 'e'], ['f']],
      2: [['g'], ['h']],
    });
    expect(await round).toEqual({
      handled: 3,
      isCutShort: true,
      left: 2,
      oldestOverdueMs: 0,
      unread: [],
    });
    expect(begun).toEqual(['a', 'b', 'd']);
    // The read of shard 0's second page began in time.
    expect(read).not.toContain('1.1');
    expect(read).not.toContain('2.1');
  });

  test('ends what is under way', async () => {
    const end = Promise.withResolvers<boolean>();
    let hasTime = true;
    const { round } = roundOver(
      { 0: [['long', 'left']] },
      { handle: () => end.promise, hasTime: () => hasTime },
    );
    await new Promise((resolve) => setImmediate(resolve));
    hasTime = false;
    end.resolve(true);
    expect(await round).toEqual({
      handled: 1,
      isCutShort: true,
      left: 1,
      oldestOverdueMs: 0,
      unread: [],
    });
  });
});
