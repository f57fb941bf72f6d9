import { describe, expect, test } from 'vitest';
import type { Disagreement } from '../../../../tools/doctor/disagreement.ts';
import { judgePayment } from '../../../../tools/doctor/judge.ts';
import {
  type Around,
  charge,
  factsOf,
  held,
  inShort,
  NOW_MS,
  order,
  payment,
  paymentHistoryOf,
  released,
  sold,
} from './support.ts';

/** The findings about the payment pay_1. */
function findings(around: Around): Disagreement[] {
  const facts = factsOf(around);
  const judged = facts.order?.item.payments.filter(({ paymentId }) => paymentId === 'pay_1') ?? [];
  return judged.flatMap((payment) => judgePayment(payment, facts));
}

function judged(around: Around): string[] {
  return inShort(findings(around));
}

const LATER = payment('CAPTURED', { paymentId: 'pay_2' });

const OWED_REFUND = { refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS } };
const OWED_VOID = { voidOwed: { dueAtMs: NOW_MS } };

const PAID: Around = {
  order: order('PAYMENT_DONE'),
  payments: [payment('CAPTURED')],
  reservation: sold(),
  charges: [charge('CAPTURED')],
};
const PAYING: Around = {
  order: order('PAYMENT_IN_PROGRESS'),
  payments: [payment('INITIATED')],
  reservation: held(),
};
const FAILED: Around = {
  order: order('PAYMENT_FAILED'),
  payments: [payment('DECLINED')],
  reservation: released(),
};

describe('nothing is wrong with a payment', () => {
  test.each<[string, Around]>([
    ['that begins', PAYING],
    ['that is charged at this moment', { ...PAYING, charges: [charge('CAPTURED')] }],
    [
      'that waits for its acknowledgement',
      { ...PAYING, payments: [payment('PENDING')], charges: [charge('PENDING')] },
    ],
    [
      'whose stock is being reserved first',
      {
        ...PAYING,
        order: order('PENDING_RESERVING_STOCK', { purpose: 'PAYMENT_RETRY' }),
      },
    ],
    ['that paid its order', PAID],
    ['that is about to have paid its order', { ...PAID, order: order('PAYMENT_IN_PROGRESS') }],
    ['that was declined', { ...FAILED, charges: [charge('DECLINED')] }],
    ['that was voided before it was charged', { ...FAILED, payments: [payment('VOIDED')] }],
    [
      'that somebody refunded at the gateway',
      { ...FAILED, payments: [payment('VOIDED')], charges: [charge('REFUNDED')] },
    ],
    [
      'that was given up, whatever the gateway does, as long as its void is owed',
      { ...FAILED, payments: [payment('FAILED', OWED_VOID)], charges: [charge('CAPTURED')] },
    ],
    [
      'that came too late and is to be refunded',
      { ...FAILED, payments: [payment('CAPTURED', OWED_REFUND)], charges: [charge('CAPTURED')] },
    ],
    [
      'that is refunded at this moment',
      { ...FAILED, payments: [payment('CAPTURED', OWED_REFUND)], charges: [charge('REFUNDED')] },
    ],
    [
      'that is refunded',
      {
        ...FAILED,
        payments: [payment('REFUNDED')],
        charges: [charge('REFUNDED')],
      },
    ],
    [
      'that failed beside a later one',
      {
        ...PAID,
        payments: [payment('FAILED'), LATER],
        charges: [],
      },
    ],
    ['whose charge nobody could ask for', { ...PAID, charges: 'UNKNOWN' }],
  ])('%s', (_what, around) => {
    expect(judged(around)).toEqual([]);
  });

  test('that is not there any more', () => {
    expect(judged({ order: order('PENDING_PAYMENT') })).toEqual([]);
  });
});

describe('a payment', () => {
  test.each<[string, Around, string]>([
    [
      'that is open for an order at rest',
      { ...FAILED, payments: [payment('INITIATED')] },
      'payment-open: GIVE_UP_PAYMENT',
    ],
    [
      'that is open while its order is paid with another',
      { ...PAYING, payments: [payment('INITIATED'), LATER] },
      'payment-open: GIVE_UP_PAYMENT',
    ],
    [
      'that is open while its order waits for another wish',
      {
        ...PAYING,
        order: order('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION' }),
      },
      'payment-open: GIVE_UP_PAYMENT',
    ],
    [
      'that is open though its stock is sold',
      { ...PAID, payments: [payment('PENDING')] },
      'payment-open: a person',
    ],
    [
      'that is kept for an order that failed',
      { ...FAILED, payments: [payment('CAPTURED')], charges: [charge('CAPTURED')] },
      'money-kept: OWE_REFUND',
    ],
    [
      'that is kept beside the one that paid the order',
      { ...PAID, payments: [payment('CAPTURED'), LATER], reservation: sold('pay_2') },
      'money-kept: OWE_REFUND',
    ],
    [
      'that is kept for an order that failed, and has sold its stock',
      { ...PAID, order: order('PAYMENT_FAILED') },
      'money-kept: a person',
    ],
    [
      'whose history begins in the middle',
      { ...FAILED, payments: [payment('DECLINED', { history: paymentHistoryOf('DECLINED') })] },
      'history: a person',
    ],
  ])('%s', (_what, around, expected) => {
    expect(judged(around)).toEqual([expected]);
  });
});

describe('payment and gateway disagree where', () => {
  test.each<[string, Around, string]>([
    ['a kept payment was never charged', { ...PAID, charges: [] }, 'charge-status: a person'],
    [
      'a kept payment was declined',
      { ...PAID, charges: [charge('DECLINED')] },
      'charge-status: a person',
    ],
    [
      'a kept payment was refunded by somebody',
      { ...PAID, charges: [charge('REFUNDED')] },
      'charge-status: a person',
    ],
    [
      'a refund was recorded and not made',
      {
        ...FAILED,
        payments: [payment('REFUNDED')],
        charges: [charge('CAPTURED')],
      },
      'charge-status: REFUND_AGAIN',
    ],
    [
      'a refund was recorded of what was never charged',
      { ...FAILED, payments: [payment('REFUNDED')] },
      'charge-status: a person',
    ],
    [
      'a declined payment was captured',
      { ...FAILED, charges: [charge('CAPTURED')] },
      'charge-status: RECORD_CHARGE',
    ],
    [
      'a voided payment was captured',
      { ...FAILED, payments: [payment('VOIDED')], charges: [charge('CAPTURED')] },
      'charge-status: RECORD_CHARGE',
    ],
    [
      'a failed payment was captured',
      { ...FAILED, payments: [payment('FAILED')], charges: [charge('CAPTURED')] },
      'charge-status: RECORD_CHARGE',
    ],
    [
      'a voided payment can still be captured',
      { ...FAILED, payments: [payment('VOIDED')], charges: [charge('PENDING')] },
      'charge-status: VOID_AGAIN',
    ],
    [
      'a voided payment was captured, and its stock is sold',
      { ...PAID, payments: [payment('VOIDED')] },
      'charge-status: a person',
    ],
    [
      'another amount was captured',
      { ...PAID, charges: [charge('CAPTURED', { amount: { amount: 5196, currency: 'EUR' } })] },
      'charge-amount: a person',
    ],
    [
      'another currency was captured',
      { ...PAID, charges: [charge('CAPTURED', { amount: { amount: 2598, currency: 'USD' } })] },
      'charge-amount: a person',
    ],
  ])('%s', (_what, around, expected) => {
    expect(judged(around)).toEqual([expected]);
  });

  test('says who says what', () => {
    const around = { ...FAILED, charges: [charge('CAPTURED')] };
    expect(findings(around)).toEqual([
      {
        check: 'charge-status',
        promise: 'P2',
        orderId: 'ord_1',
        paymentId: 'pay_1',
        found: 'DECLINED, and the gateway says CAPTURED',
        expected: 'no money for a payment that was given up, or its refund owed',
        mend: 'record the capture, which owes its refund',
        remedy: { kind: 'RECORD_CHARGE', key: { orderId: 'ord_1', paymentId: 'pay_1' } },
      },
    ]);
  });
});
