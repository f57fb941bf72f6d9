import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { totalOf } from '../../../lib/money.ts';

const eur = (amount: number) => ({ amount, currency: 'EUR' });

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
