import { describe, expect, test } from 'vitest';
import { ConcurrencyPool } from '../../../local/stack/concurrency-pool.ts';

const fn = (key: string, reservedConcurrency?: number) => ({ key, reservedConcurrency });

const one = fn('one');
const other = fn('other');
const reserving = fn('reserving', 2);

describe("an account's pool", () => {
  test('is shared by functions that reserve nothing', () => {
    const pool = new ConcurrencyPool(4, [one, other, reserving]);
    const release = pool.take(one);
    expect(pool.take(other)).toBeDefined();
    expect(pool.take(one)).toBeUndefined();
    release?.();
    expect(pool.take(other)).toBeDefined();
  });

  test('keeps what a function has reserved for it, however full it is', () => {
    const pool = new ConcurrencyPool(3, [one, reserving]);
    pool.take(one);
    expect(pool.take(one)).toBeUndefined();
    expect(pool.take(reserving)).toBeDefined();
  });

  test('gives a function no more than it has reserved, however empty it is', () => {
    const pool = new ConcurrencyPool(100, [one, reserving]);
    const release = pool.take(reserving);
    pool.take(reserving);
    expect(pool.take(reserving)).toBeUndefined();
    release?.();
    expect(pool.take(reserving)).toBeDefined();
  });

  test('without a limit gives always', () => {
    const pool = new ConcurrencyPool(Infinity, [one]);
    expect(Array.from({ length: 2000 }, () => pool.take(one))).not.toContain(undefined);
  });

  test('of which more is reserved than there is starts nothing', () => {
    expect(() => new ConcurrencyPool(1, [reserving])).toThrow(
      'reserve 2 concurrent invocations of 1',
    );
  });
});
