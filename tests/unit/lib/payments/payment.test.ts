import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isOpen,
  isUnsettled,
  LEGAL_PAYMENT_MOVES,
  movePayment,
  newPayment,
  type Payment,
  type PaymentStatus,
  paymentDueMs,
  withDebtDueAt,
} from '../../../../lib/payments/payment.ts';
import { IllegalTransition } from '../../../../lib/platform/errors.ts';
import { PAYMENT_MOVES } from '../../../../torture/legal-moves.ts';

const STATUSES = [
  'INITIATED',
  'PENDING',
  'CAPTURED',
  'DECLINED',
  'VOIDED',
  'REFUNDED',
  'FAILED',
] as const satisfies readonly PaymentStatus[];

const MOVE = { reason: 'BECAUSE', at: '2026-03-01T12:00:00.000Z' };

const OWN_FIELDS: Readonly<Record<PaymentStatus, Readonly<Record<string, unknown>>>> = {
  INITIATED: { methodId: 'met_1' },
  PENDING: { methodId: 'met_1', acknowledgeByMs: 5 },
  CAPTURED: { refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: 6 } },
  DECLINED: { code: 'INSUFFICIENT_FUNDS' },
  VOIDED: { code: 'PAYMENT_VOIDED' },
  REFUNDED: { code: 'LATE_CAPTURE' },
  FAILED: { code: 'PAYMENT_UNCONFIRMED', voidOwed: { dueAtMs: 7 } },
};

const BASE = {
  paymentId: 'pay_1',
  attempt: 2,
  revision: 4,
  amount: { amount: 2598, currency: 'EUR' },
  createdAtMs: 1_772_366_400_000,
};

function paymentIn(status: PaymentStatus): Payment {
  const history = [{ from: null, to: status, ...MOVE }];
  return { ...BASE, ...OWN_FIELDS[status], status, history } as unknown as Payment;
}

function moveTo(payment: Payment, to: PaymentStatus): Payment {
  return movePayment(payment, to, OWN_FIELDS[to] as never, MOVE);
}

function isExpected(from: PaymentStatus, to: PaymentStatus): boolean {
  return PAYMENT_MOVES.some(([left, right]) => left === from && right === to);
}

describe('the life of a payment', () => {
  test('the table of legal moves is the expected one, no more and no less', () => {
    const coded = Object.entries(LEGAL_PAYMENT_MOVES).flatMap(([from, tos]) =>
      tos.map((to) => `${from} → ${to}`),
    );
    expect(coded.toSorted()).toEqual(
      PAYMENT_MOVES.map(([from, to]) => `${from} → ${to}`).toSorted(),
    );
  });

  test.each([
    ['INITIATED', true],
    ['PENDING', true],
    ['CAPTURED', false],
    ['DECLINED', false],
    ['VOIDED', false],
    ['REFUNDED', false],
    ['FAILED', false],
  ] as const)('%s is open: %s', (status, open) => {
    expect(isOpen(paymentIn(status))).toBe(open);
  });

  test.each([
    ['INITIATED', {}, true],
    ['PENDING', {}, true],
    ['CAPTURED', {}, false],
    ['CAPTURED', { refundOwed: undefined }, false],
    ['DECLINED', {}, false],
    ['VOIDED', {}, false],
    ['REFUNDED', {}, false],
    ['FAILED', {}, true],
    ['FAILED', { voidOwed: undefined }, false],
  ] as const)('%s with %j keeps a retry from overlapping with it: %s', (status, without, is) => {
    expect(isUnsettled({ ...paymentIn(status), ...without } as Payment)).toBe(is);
  });

  test('begins INITIATED, with its first line of history', () => {
    expect(newPayment({ ...BASE, methodId: 'met_1', at: MOVE.at })).toEqual({
      ...BASE,
      status: 'INITIATED',
      methodId: 'met_1',
      history: [{ from: null, to: 'INITIATED', reason: 'PAYMENT_STARTED', at: MOVE.at }],
    });
  });

  const pairs = STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const));

  test.each(pairs.filter(([from, to]) => !isExpected(from, to)))(
    '%s cannot become %s',
    (from, to) => {
      const attempt = () => moveTo(paymentIn(from), to);
      expect(attempt).toThrow(IllegalTransition);
      expect(attempt).toThrow(
        expect.objectContaining({ details: { paymentId: 'pay_1', paymentStatus: from } }),
      );
    },
  );

  test('any walk takes legal moves only, one chained line of history each', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...STATUSES), { maxLength: 30, size: 'max' }),
        (wishes) => {
          let payment = paymentIn('INITIATED');
          for (const to of wishes) {
            const before = structuredClone(payment);
            if (!isExpected(payment.status, to)) {
              expect(() => moveTo(payment, to)).toThrow(IllegalTransition);
              continue;
            }
            payment = moveTo(payment, to);
            expect(payment).toEqual({
              ...BASE,
              ...OWN_FIELDS[to],
              status: to,
              history: [...before.history, { from: before.status, to, ...MOVE }],
            });
          }
        },
      ),
    );
  });

  test.each(pairs.filter(([from, to]) => isExpected(from, to)))(
    'a field that is new to payments survives the move from %s to %s',
    (from, to) => {
      const added = { tomorrow: 'kept' };
      expect(moveTo({ ...paymentIn(from), ...added }, to)).toMatchObject(added);
    },
  );

  test.each(pairs.filter(([from, to]) => isExpected(from, to) && to !== 'PENDING'))(
    'from %s to %s the method token is gone for good',
    (from, to) => {
      const settled = moveTo(paymentIn(from), to);
      expect(settled).not.toHaveProperty('methodId');
      expect(JSON.stringify(settled)).not.toContain('tok_secret');
    },
  );

  test('a refund leaves nothing owed', () => {
    const refunded = moveTo(paymentIn('CAPTURED'), 'REFUNDED');
    expect(refunded).not.toHaveProperty('refundOwed');
    expect(paymentDueMs(refunded)).toBeUndefined();
  });

  test('a void leaves nothing owed', () => {
    const voided = moveTo(paymentIn('FAILED'), 'VOIDED');
    expect(voided).not.toHaveProperty('voidOwed');
    expect(paymentDueMs(voided)).toBeUndefined();
  });

  test.each([
    ['CAPTURED', 6],
    ['FAILED', 7],
    ['INITIATED', undefined],
    ['PENDING', undefined],
    ['DECLINED', undefined],
    ['VOIDED', undefined],
    ['REFUNDED', undefined],
  ] as const)('%s has its debt due at %j, and put off only if there is one', (status, dueMs) => {
    const payment = paymentIn(status);
    expect(paymentDueMs(payment)).toBe(dueMs);
    const later = withDebtDueAt(payment, 99);
    expect(paymentDueMs(later)).toBe(dueMs === undefined ? undefined : 99);
    if (dueMs === undefined) expect(later).toBe(payment);
    else expect(withDebtDueAt(later, dueMs)).toEqual(payment);
  });
});
