import { expect, test } from 'vitest';
import { formatStrikes, parseStrikes, UnknownStrike } from '../../../torture/strikes.ts';

test('strikes are written as they are read', () => {
  const text = 'dies after@17,rival cancels@40,loses its run at@8,is late@8,arrival@12';
  expect(parseStrikes(text)).toEqual([
    { what: 'dies after', n: 17 },
    { what: 'rival cancels', n: 40 },
    { what: 'loses its run at', n: 8 },
    { what: 'is late', n: 8 },
    { what: 'arrival', n: 12 },
  ]);
  expect(formatStrikes(parseStrikes(text))).toBe(text);
});

test.each(['', 'dies after', 'dies after@0', 'dies after@x', 'sleeps@3', 'rival sleeps@3'])(
  '"%s" is told to be no strike',
  (text) => {
    expect(() => parseStrikes(text)).toThrow(UnknownStrike);
  },
);
