import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatMoney, Narrator } from '../../../local/demo/narrator.ts';

let printed: string[];

beforeEach(() => {
  printed = [];
  vi.stubEnv('NO_COLOR', '1');
  vi.spyOn(console, 'log').mockImplementation((text: string) => {
    printed.push(...text.split('\n'));
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('Narrator', () => {
  it('counts and tells a met expectation', () => {
    const narrator = new Narrator();
    narrator.check('the order', 'PAYMENT_DONE', 'PAYMENT_DONE');
    expect(printed).toEqual(['  ✓ the order is PAYMENT_DONE']);
    expect([narrator.checks, narrator.failures]).toEqual([1, 0]);
  });

  it('says plainly what was expected and what came', () => {
    const narrator = new Narrator();
    narrator.check('the order', 'PAYMENT_DONE', 'PAYMENT_FAILED');
    expect(printed).toEqual([
      '  ✗ expected the order to be PAYMENT_DONE, but it is PAYMENT_FAILED',
    ]);
    expect([narrator.checks, narrator.failures]).toEqual([1, 1]);
  });

  it('takes every counter of a stock into account', () => {
    const narrator = new Narrator();
    const expected = { available: 98, reserved: 0, sold: 2 };
    narrator.checkStock('Coffee', expected, { ...expected, sold: 1 });
    expect(printed.join(' ').replace(/\s+/g, ' ')).toBe(
      ' ✗ expected Coffee to be at 98 available, 0 reserved, 2 sold, ' +
        'but it is at 98 available, 0 reserved, 1 sold',
    );
    expect(narrator.failures).toBe(1);
  });

  it('draws the history with the waits in it, broken at the arrows', () => {
    new Narrator().trail({
      orderId: 'order-1',
      status: 'ORDER_FAILED',
      reason: 'RESERVATION_EXPIRED',
      total: null,
      history: [
        { to: 'CREATED', at: '2026-01-01T12:00:00.000Z' },
        { to: 'PENDING_RESERVING_STOCK', at: '2026-01-01T12:00:00.100Z' },
        { to: 'PENDING_PAYMENT', at: '2026-01-01T12:00:01.000Z' },
        { to: 'ORDER_FAILED', at: '2026-01-01T12:15:01.000Z' },
      ],
    });
    expect(printed).toEqual([
      '  History: CREATED → PENDING_RESERVING_STOCK → PENDING_PAYMENT',
      '    → ORDER_FAILED (after 15 min)',
    ]);
  });

  it('stays within 80 columns', () => {
    const narrator = new Narrator();
    narrator.tell('word '.repeat(60).trim());
    narrator.verdict(false, '', 'something '.repeat(40).trim());
    expect(Math.max(...printed.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(printed.join(' ').split('word')).toHaveLength(61);
  });
});

describe('formatMoney', () => {
  it.each([
    [{ amount: 3448, currency: 'EUR' }, '€34.48'],
    [{ amount: 5, currency: 'EUR' }, '€0.05'],
    [{ amount: 1200, currency: 'JPY' }, '¥1,200'],
  ])('writes %o as %s', (money, text) => {
    expect(formatMoney(money)).toBe(text);
  });
});
