import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DUE_SHARDS, dueAttributes, shardName } from '../../../../lib/platform/dynamo/items.ts';
import { deriveId, randomIds, shardOf } from '../../../../lib/platform/ids.ts';

describe('derived ids', () => {
  test('stay what they are: stored orders are found by them', () => {
    // printf '5:alice11:POST /order5:key-1' | sha256sum
    expect(deriveId('ord', 'alice', 'POST /order', 'key-1')).toBe('ord_21a93adffcb73ac8fb4d067df1');
  });

  test('of the same parts are the same, of other parts others', () => {
    const parts = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 });
    fc.assert(
      fc.property(parts, parts, (left, right) => {
        const isSame = JSON.stringify(left) === JSON.stringify(right);
        expect(deriveId('ord', ...left) === deriveId('ord', ...right)).toBe(isSame);
        expect(deriveId('ord', ...left)).toMatch(/^ord_[0-9a-f]{26}$/);
      }),
    );
  });

  test('never collide by concatenation', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 12 }), fc.nat(), fc.nat(), (text, a, b) => {
        const [left, right] = [a % (text.length + 1), b % (text.length + 1)];
        const split = (at: number) => deriveId('x', text.slice(0, at), text.slice(at));
        expect(split(left) === split(right)).toBe(left === right);
        expect(split(left)).not.toBe(deriveId('x', text));
      }),
    );
  });

  test.each([
    [
      ['a', 'bc'],
      ['ab', 'c'],
    ],
    [['a', ''], ['a']],
    [[''], []],
    [['1:a'], ['1', 'a']],
    [['a1:b'], ['a', 'b']],
    [
      ['ä', 'b'],
      ['a', '̈b'],
    ],
  ])('of %j is not that of %j', (left, right) => {
    expect(deriveId('x', ...left)).not.toBe(deriveId('x', ...right));
  });

  test('carry their prefix', () => {
    expect(deriveId('pay', 'a').replace('pay_', 'ord_')).toBe(deriveId('ord', 'a'));
  });

  test('that are random never repeat', () => {
    const ids = Array.from({ length: 100 }, () => randomIds.random());
    expect(new Set(ids).size).toBe(100);
  });
});

describe('shards', () => {
  test('of an id are always the same and in range', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 64 }), (id, count) => {
        const shard = shardOf(id, count);
        expect(shard).toBe(shardOf(id, count));
        expect(shard).toBeGreaterThanOrEqual(0);
        expect(shard).toBeLessThan(count);
      }),
    );
  });

  test('spread derived ids evenly over sixteen', () => {
    const counts = new Array<number>(DUE_SHARDS).fill(0);
    for (let each = 0; each < 16_000; each += 1) {
      const shard = shardOf(deriveId('ord', String(each)), DUE_SHARDS);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(counts).toHaveLength(16);
    for (const count of counts) {
      expect(count).toBeGreaterThan(800);
      expect(count).toBeLessThan(1200);
    }
  });

  test('an item is in the outbox index exactly while it is due', () => {
    expect(dueAttributes('ord_1', undefined)).toEqual({});
    const shard = shardName('due', shardOf('ord_1', 16));
    expect(dueAttributes('ord_1', 0)).toEqual({ dueShard: shard, dueKeyMs: 0 });
    expect(shardName('due', 3)).toBe('due#3');
  });
});
