import { describe, expect, test } from 'vitest';
import { judge } from '../../../../tools/doctor/judge.ts';
import {
  type Around,
  charge,
  EUR_26,
  factsOf,
  held,
  inShort,
  NOW,
  NOW_MS,
  OVERDUE_AFTER_MS,
  order,
  payment,
  paymentHistoryOf,
  released,
  sold,
} from './support.ts';

const SUBJECT = { kind: 'PAYMENT', orderId: 'ord_1', paymentId: 'pay_1' } as const;

function judged(around: Around): string[] {
  return inShort(judge(SUBJECT, factsOf(around), NOW));
}

const OWED_REFUND = { refundOwed: { reason: 'LATE_CAPTURE' }, dueAtMs: NOW_MS };
const OWED_VOID = { voidOwed: true, dueAtMs: NOW_MS } as const;
const REFUND = { paymentId: 'pay_1', amount: EUR_26, at: '2026-03-01T12:00:00.000Z' };

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
        order: order('PENDING_RESERVING_STOCK', { purpose: 'PAYMENT_RETRY', paymentId: 'pay_1' }),
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
        order: order('PAYMENT_FAILED', { refunds: [REFUND] }),
        payments: [payment('REFUNDED')],
        charges: [charge('REFUNDED')],
      },
    ],
    [
      'that failed beside a later one',
      {
        ...PAID,
        order: order('PAYMENT_DONE', { paymentId: 'pay_2' }),
        payments: [payment('FAILED')],
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
    ['without an order', { payments: [payment('DECLINED')] }, 'order-missing: a person'],
    [
      'that is open for an order at rest',
      { ...FAILED, payments: [payment('INITIATED')] },
      'payment-open: GIVE_UP_PAYMENT',
    ],
    [
      'that is open while its order is paid with another',
      { ...PAYING, order: order('PAYMENT_IN_PROGRESS', { paymentId: 'pay_2' }) },
      'payment-open: GIVE_UP_PAYMENT',
    ],
    [
      'that is open while its order waits for another wish',
      {
        ...PAYING,
        order: order('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION', paymentId: 'pay_1' }),
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
      { ...PAID, order: order('PAYMENT_DONE', { paymentId: 'pay_2' }), reservation: sold('pay_2') },
      'money-kept: OWE_REFUND',
    ],
    [
      'that is kept for an order that failed, and has sold its stock',
      { ...PAID, order: order('PAYMENT_FAILED') },
      'money-kept: a person',
    ],
    [
      'whose refund its order does not show',
      { ...FAILED, payments: [payment('REFUNDED')], charges: [charge('REFUNDED')] },
      'refund-not-shown: SHOW_REFUND',
    ],
    [
      'that is settled and keeps its token',
      { ...FAILED, payments: [payment('DECLINED', { methodToken: 'tok_secret' } as object)] },
      'method-token-kept: REMOVE_METHOD_TOKEN',
    ],
    [
      'whose refund nobody looks after',
      {
        ...FAILED,
        payments: [payment('CAPTURED', { refundOwed: { reason: 'TEST' } })],
        charges: [charge('CAPTURED')],
      },
      'due-missing: MAKE_PAYMENT_DUE',
    ],
    [
      'whose void nobody looks after',
      { ...FAILED, payments: [payment('FAILED', { voidOwed: true })] },
      'due-missing: MAKE_PAYMENT_DUE',
    ],
    [
      'whose refund is long due',
      {
        ...FAILED,
        payments: [payment('CAPTURED', { ...OWED_REFUND, dueAtMs: NOW_MS - OVERDUE_AFTER_MS - 1 })],
        charges: [charge('CAPTURED')],
      },
      'overdue: DISPATCH_PAYMENT',
    ],
    [
      'that is due and owes nothing',
      { ...PAID, payments: [payment('CAPTURED', { dueAtMs: NOW_MS })] },
      'due-for-nothing: CLEAR_PAYMENT_DUE',
    ],
    [
      'whose history begins in the middle',
      { ...FAILED, payments: [payment('DECLINED', { history: paymentHistoryOf('DECLINED') })] },
      'history: a person',
    ],
  ])('%s', (_what, around, expected) => {
    expect(judged(around)).toEqual([expected]);
  });

  test('never shows the token that it keeps', () => {
    const kept = payment('DECLINED', { methodToken: 'tok_secret' } as object);
    const [finding] = judge(SUBJECT, factsOf({ ...FAILED, payments: [kept] }), NOW);
    const { remedy: _remedy, ...shown } = finding!;
    expect(JSON.stringify(shown)).not.toContain('tok_secret');
  });
});

describe('payment and gateway disagree where', () => {
  const SHOWN = order('PAYMENT_FAILED', { refunds: [REFUND] });
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
        order: SHOWN,
        payments: [payment('REFUNDED')],
        charges: [charge('CAPTURED')],
      },
      'charge-status: REFUND_AGAIN',
    ],
    [
      'a refund was recorded of what was never charged',
      { ...FAILED, order: SHOWN, payments: [payment('REFUNDED')] },
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
    expect(judge(SUBJECT, factsOf(around), NOW)).toEqual([
      {
        check: 'charge-status',
        promise: 'P2',
        orderId: 'ord_1',
        paymentId: 'pay_1',
        found: 'DECLINED, and the gateway says CAPTURED',
        expected: 'no money for a payment that was given up, or its refund owed',
        mend: 'record the capture, which owes its refund',
        remedy: { kind: 'RECORD_CHARGE', paymentId: 'pay_1' },
      },
    ]);
  });
});
