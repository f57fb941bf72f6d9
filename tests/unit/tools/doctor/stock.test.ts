import { describe, expect, test } from 'vitest';
import type { Product } from '../../../../lib/inventory/product.ts';
import type { Pieces } from '../../../../tools/doctor/checks/stock-counters.ts';
import { judgeStock } from '../../../../tools/doctor/stock.ts';

/** A product with these counters (available/reserved/sold/received) and this number of movements. */
function mugs(stock: string, movements = 9): Product {
  const [available = 0, reserved = 0, sold = 0, received = 0] = stock.split('/').map(Number);
  const counters = { available, reserved, sold, received, movements };
  return { productId: 'mug', status: 'ACTIVE', version: 1, ...counters } as unknown as Product;
}

function judged(
  before: Product | undefined,
  pieces: Pieces,
  after: Product | undefined,
  problem?: string,
  isOtherVersion = false,
) {
  const facts = { productId: 'mug', before, pieces, after, problem, isOtherVersion };
  const { findings, hasMoved } = judgeStock(facts);
  return [...findings.map(({ check }) => check), ...(hasMoved ? ['moved'] : [])].join(', ');
}

describe('a product that stands still', () => {
  test.each<[string, string, Pieces]>([
    ['was never ordered', '10/0/0/10', { held: 0, sold: 0 }],
    ['is held and sold', '5/2/3/10', { held: 2, sold: 3 }],
    ['is sold out', '0/0/10/10', { held: 0, sold: 10 }],
  ])('and %s: nothing is wrong', (_what, stock, pieces) => {
    expect(judged(mugs(stock), pieces, mugs(stock))).toBe('');
  });

  test.each<[string, string, Pieces, string]>([
    ['does not add up', '5/2/3/11', { held: 2, sold: 3 }, 'stock-balance'],
    ['has less than nothing', '-1/2/3/4', { held: 2, sold: 3 }, 'stock-balance'],
    ['has half a piece', '4.5/2/3/9.5', { held: 2, sold: 3 }, 'stock-balance'],
    ['has more reserved than is held', '5/2/3/10', { held: 1, sold: 3 }, 'stock-sums'],
    ['has less reserved than is held', '5/2/3/10', { held: 3, sold: 3 }, 'stock-sums'],
    ['has more sold than was sold', '5/2/3/10', { held: 2, sold: 2 }, 'stock-sums'],
    ['neither adds up nor agrees', '5/2/3/11', { held: 1, sold: 3 }, 'stock-balance, stock-sums'],
  ])('and %s', (_what, stock, pieces, expected) => {
    expect(judged(mugs(stock), pieces, mugs(stock))).toBe(expected);
  });

  test('and is not stored, though it was reserved', () => {
    expect(judged(undefined, { held: 1, sold: 0 }, undefined)).toBe('product-missing');
  });

  test('and cannot be read by the service', () => {
    const problem = 'PRODUCT#mug is malformed at unitPrice.';
    const mug = mugs('10/0/0/10');
    expect(judged(mug, { held: 0, sold: 0 }, mug, problem)).toBe('unreadable');
    expect(judged(mug, { held: 0, sold: 1 }, mug, problem)).toBe('stock-sums');
  });

  test('and is of a newer version: neither judged nor rolled back', () => {
    const mug = mugs('1/2/3/99');
    expect(judged(mug, { held: 0, sold: 1 }, mug, 'version 2', true)).toBe('unreadable');
    const facts = { productId: 'mug', before: mug, pieces: { held: 0, sold: 1 }, after: mug };
    const [finding] = judgeStock({ ...facts, problem: 'version 2', isOtherVersion: true }).findings;
    expect(finding?.mend).toBe('a person: examine it with the doctor of the version that wrote it');
  });

  test('and is gone by now', () => {
    expect(judged(undefined, { held: 0, sold: 0 }, undefined)).toBe('');
  });
});

describe('a product in motion is told nothing of its sums', () => {
  test.each<[string, Product | undefined, Product | undefined]>([
    ['one more is held', mugs('10/0/0/10', 1), mugs('9/1/0/10', 2)],
    ['one was held and is back', mugs('10/0/0/10', 1), mugs('10/0/0/10', 3)],
    ['it is new', undefined, mugs('10/0/0/10', 0)],
    ['it is gone', mugs('10/0/0/10'), undefined],
  ])('where %s', (_what, before, after) => {
    expect(judged(before, { held: 1, sold: 7 }, after)).toBe('moved');
  });

  test('but what is wrong at every moment', () => {
    expect(judged(mugs('10/0/0/10', 1), { held: 0, sold: 0 }, mugs('9/1/1/10', 2))).toBe(
      'stock-balance, moved',
    );
  });

  test('and stock that arrives is no motion', () => {
    expect(judged(mugs('10/2/0/12'), { held: 2, sold: 0 }, mugs('15/2/0/17'))).toBe('');
  });
});
