import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  hasBadQuantity,
  itemsFingerprint,
  mergeLines,
  priceLines,
  sameItems,
  totalOf,
} from '../../../../lib/orders/order-items.ts';

const eur = (amount: number) => ({ amount, currency: 'EUR' });

const TOTAL = { amount: 2598, currency: 'EUR' };

const line = fc.record({
  productId: fc.constantFrom('mug', 'coffee', 'grinder', '__proto__'),
  quantity: fc.integer({ min: 1, max: 10_000 }),
});
const lines = fc.array(line, { minLength: 1, maxLength: 20 });
const shuffledLines = lines.chain((original) =>
  fc.tuple(
    fc.constant(original),
    fc.shuffledSubarray(original, { minLength: original.length, maxLength: original.length }),
  ),
);

function quantityOf(all: readonly { productId: string; quantity: number }[], id: string): number {
  return all.reduce((sum, { productId, quantity }) => sum + (productId === id ? quantity : 0), 0);
}

describe('the lines of an order', () => {
  test('merging leaves one line for each product, with the sum of its quantities', () => {
    fc.assert(
      fc.property(lines, (original) => {
        const merged = mergeLines(original);
        const ids = merged.map(({ productId }) => productId);
        expect(ids).toEqual([...new Set(original.map(({ productId }) => productId))]);
        for (const id of ids) expect(quantityOf(merged, id)).toBe(quantityOf(original, id));
        expect(mergeLines(merged)).toEqual(merged);
      }),
    );
  });

  test('the same products and quantities are the same items in any order of lines', () => {
    fc.assert(
      fc.property(shuffledLines, ([original, shuffled]) => {
        expect(sameItems(mergeLines(original), mergeLines(shuffled))).toBe(true);
        expect(itemsFingerprint(mergeLines(original))).toBe(itemsFingerprint(mergeLines(shuffled)));
      }),
    );
  });

  test('lines that were never merged, as in an invalid order, compare in any order too', () => {
    fc.assert(
      fc.property(shuffledLines, ([original, shuffled]) => {
        expect(sameItems(original, shuffled)).toBe(true);
      }),
    );
  });

  test('another quantity or another product is another set of items', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 5 }), (original, more) => {
        const merged = mergeLines(original);
        const [first, ...others] = merged;
        if (first === undefined) return;
        const changed = [{ ...first, quantity: first.quantity + more }, ...others];
        expect(sameItems(merged, changed)).toBe(false);
        expect(sameItems(merged, others)).toBe(false);
        expect(sameItems(merged, [...merged, { productId: 'new', quantity: more }])).toBe(false);
      }),
    );
  });

  test('a price does not make other items', () => {
    const unpriced = [{ productId: 'mug', quantity: 1 }];
    expect(sameItems(unpriced, [{ ...unpriced[0]!, unitPrice: TOTAL }])).toBe(true);
  });

  test.each([
    [[1], false],
    [[10_000], false],
    [[10_000, 10_000], false],
    [[0], true],
    [[-1], true],
    [[10_001], true],
    [[1, 0, 1], true],
    [[], false],
  ])('quantities %j are bad: %s', (quantities, isBad) => {
    const lines = quantities.map((quantity, index) => ({
      productId: `p${String(index)}`,
      quantity,
    }));
    expect(hasBadQuantity(lines)).toBe(isBad);
  });

  test.each([
    [[5000, 5000], false],
    [[5000, 5001], true],
    [[10_001, -1], true],
  ])('quantities %j of one product, added up, are bad: %s', (quantities, isBad) => {
    const lines = quantities.map((quantity) => ({ productId: 'mug', quantity }));
    expect(hasBadQuantity(lines)).toBe(isBad);
  });

  test('one bad line is enough, wherever it stands', () => {
    fc.assert(
      fc.property(lines, fc.integer({ max: 0 }), fc.nat(), (drawn, quantity, position) => {
        // Small quantities, so that no sum of twenty lines is too large.
        const original = drawn.map((line) => ({ ...line, quantity: Math.min(line.quantity, 500) }));
        expect(hasBadQuantity(original)).toBe(false);
        const index = position % (original.length + 1);
        expect(hasBadQuantity(original.toSpliced(index, 0, { productId: 'mug', quantity }))).toBe(
          true,
        );
      }),
    );
  });
});

describe('the prices of an order', () => {
  const wanted = [
    { productId: 'mug', quantity: 2 },
    { productId: 'coffee', quantity: 1 },
  ];
  const present = [
    { productId: 'mug', unitPrice: eur(900) },
    { productId: 'coffee', unitPrice: eur(1299) },
  ];

  test('are the present ones of products that were not reserved before', () => {
    expect(priceLines(wanted, wanted, present)).toEqual({
      items: [
        { productId: 'mug', quantity: 2, unitPrice: eur(900) },
        { productId: 'coffee', quantity: 1, unitPrice: eur(1299) },
      ],
      total: eur(3099),
    });
  });

  test('stay if the user has seen them', () => {
    const seen = [{ productId: 'mug', quantity: 7, unitPrice: eur(850) }];
    expect(priceLines(wanted, seen, present)).toMatchObject({
      items: [{ unitPrice: eur(850) }, { unitPrice: eur(1299) }],
      total: eur(2999),
    });
  });

  test('make no total in two currencies, or if one is unknown', () => {
    const dollars = [{ productId: 'mug', quantity: 1, unitPrice: { amount: 1, currency: 'USD' } }];
    expect(priceLines(wanted, dollars, present).total).toBeUndefined();
    expect(priceLines(wanted, [], present.slice(1))).toEqual({
      items: [
        { productId: 'mug', quantity: 2 },
        { productId: 'coffee', quantity: 1, unitPrice: eur(1299) },
      ],
      total: undefined,
    });
  });
});

describe('the total of lines', () => {
  test('is the sum of quantity times unit price', () => {
    const lines = [
      { quantity: 2, unitPrice: eur(1299) },
      { quantity: 1, unitPrice: eur(850) },
    ];
    expect(totalOf(lines)).toEqual({ amount: 3448, currency: 'EUR' });
  });

  test.each([
    ['no line', []],
    ['a line without a price', [{ quantity: 1 }, { quantity: 1, unitPrice: eur(1) }]],
    ['a last line without a price', [{ quantity: 1, unitPrice: eur(1) }, { quantity: 1 }]],
    [
      'two currencies',
      [
        { quantity: 1, unitPrice: eur(1) },
        { quantity: 1, unitPrice: { amount: 1, currency: 'USD' } },
      ],
    ],
  ])('is unknown for %s', (_what, lines) => {
    expect(totalOf(lines)).toBeUndefined();
  });

  test('is zero for what is free', () => {
    expect(totalOf([{ quantity: 3, unitPrice: eur(0) }])).toEqual(eur(0));
  });

  test('is an exact integer for the largest order, in any order of lines', () => {
    const line = fc.record({
      quantity: fc.integer({ min: 1, max: 10_000 }),
      unitPrice: fc.integer({ min: 0, max: 1_000_000_000 }).map(eur),
    });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), (lines) => {
        const exact = lines.reduce(
          (sum, { quantity, unitPrice }) => sum + BigInt(quantity) * BigInt(unitPrice.amount),
          0n,
        );
        expect(BigInt(totalOf(lines)?.amount ?? -1)).toBe(exact);
        expect(totalOf(lines.toReversed())).toEqual(totalOf(lines));
      }),
    );
  });
});
