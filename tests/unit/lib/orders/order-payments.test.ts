import { describe, expect, test } from 'vitest';
import {
  currentPayment,
  isCurrentPayment,
  paymentOf,
  refundsOf,
  withPayment,
} from '../../../../lib/orders/order-payments.ts';
import { EUR_26, orderIn, paymentIn } from './fakes.ts';

const FIRST = paymentIn('REFUNDED');
const SECOND = paymentIn('INITIATED', { paymentId: 'pay_2' });
const none = orderIn('PENDING_PAYMENT');
const both = orderIn('PAYMENT_IN_PROGRESS', { payments: [FIRST, SECOND] });

describe('the payments of an order', () => {
  test('the last one is the current one', () => {
    expect([currentPayment(none), currentPayment(both)]).toEqual([undefined, SECOND]);
    expect(isCurrentPayment(both, 'pay_2')).toBe(true);
    expect(isCurrentPayment(both, 'pay_1')).toBe(false);
    expect(isCurrentPayment(none, 'pay_1')).toBe(false);
  });

  test('are found by their ids', () => {
    expect(['pay_1', 'pay_2', 'pay_3'].map((id) => paymentOf(both, id))).toEqual([
      FIRST,
      SECOND,
      undefined,
    ]);
  });

  test('a changed one stays in its place, a new one becomes the current one', () => {
    const third = paymentIn('INITIATED', { paymentId: 'pay_3' });
    const changed = paymentIn('VOIDED');
    expect(withPayment(none, FIRST).payments).toEqual([FIRST]);
    expect(withPayment(both, third).payments).toEqual([FIRST, SECOND, third]);
    expect(withPayment(both, changed).payments).toEqual([changed, SECOND]);
    expect(both.payments).toEqual([FIRST, SECOND]);
  });

  test('those that are refunded are the refunds that the order shows, at the time of the refund', () => {
    expect(refundsOf(none)).toEqual([]);
    expect(refundsOf(both)).toEqual([
      { paymentId: 'pay_1', amount: EUR_26, at: '2026-03-01T12:00:00.000Z' },
    ]);
  });
});
