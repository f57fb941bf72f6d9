import { describe, expect, test } from 'vitest';
import {
  hasFailed,
  isModificationDecided,
  modificationAnswer,
  orderAnswer,
  paymentAnswer,
} from '../../../../../lib/orders/http/responses.ts';
import type { Order } from '../../../../../lib/orders/order.ts';
import type { Payment } from '../../../../../lib/payments/payment.ts';
import { orderIn, paymentIn, World } from '../fakes.ts';

/** The status of a response, or the code of the problem in its place. */
function outcomeOf(answer: () => { readonly status: number }): number | string {
  try {
    return answer().status;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

function problemOf(answer: () => unknown): unknown {
  try {
    return answer();
  } catch (error) {
    return error;
  }
}

const { service } = new World(orderIn('CREATED'));

describe('the answer to placing or retrying an order', () => {
  test.each([
    ['CREATED', 202],
    ['PENDING_RESERVING_STOCK', 202],
    ['PENDING_PAYMENT', 201],
    ['PAYMENT_IN_PROGRESS', 202],
    ['PAYMENT_DONE', 202],
    ['PAYMENT_FAILED', 202],
    ['ORDER_CANCELLED', 202],
    ['INVALID', 'OUT_OF_STOCK'],
    ['ORDER_FAILED', 'ORDER_FAILED'],
  ] as const)('%s: %s', (status, outcome) => {
    expect(outcomeOf(() => orderAnswer(service, orderIn(status)))).toBe(outcome);
  });

  test('says where the order is and which version this is', () => {
    expect(orderAnswer(service, orderIn('PENDING_PAYMENT')).headers).toEqual({
      Location: '/order/ord_1',
      ETag: '"7"',
    });
  });

  test.each(['BAD_QUANTITY', 'OUT_OF_STOCK', 'UNKNOWN_PRODUCT', 'MIXED_CURRENCIES'])(
    'INVALID for %s has that code and its own advice',
    (reason) => {
      const problem = problemOf(() => orderAnswer(service, orderIn('INVALID', { reason })));
      expect(problem).toMatchObject({ code: reason, details: { orderId: 'ord_1' } });
      expect((problem as Error).message).not.toBe('Place another order.');
    },
  );

  test('ORDER_FAILED keeps its reason and says when to try again', () => {
    expect(problemOf(() => orderAnswer(service, orderIn('ORDER_FAILED')))).toMatchObject({
      details: { orderId: 'ord_1', reason: 'RESERVATION_EXPIRED' },
      retryAfterSeconds: 30,
    });
  });

  test.each([
    [{ orderId: 'ord_1' }, orderIn('ORDER_FAILED'), true],
    [{ orderId: 'ord_1' }, orderIn('PENDING_PAYMENT'), false],
    [{ orderId: 'ord_9' }, orderIn('ORDER_FAILED'), false],
    [{}, orderIn('ORDER_FAILED'), false],
  ] as const)('%j given before has failed since ($status)', async (body, order, isFailed) => {
    expect(await hasFailed(new World(order).service, body)).toBe(isFailed);
  });
});

const pending = { modification: { status: 'PENDING', items: [] } } as const;
const applied = { modification: { status: 'APPLIED', items: [] } } as const;
const rejected = {
  modification: { status: 'REJECTED', items: [], code: 'OUT_OF_STOCK' },
} as const;

describe('the answer to modifying an order', () => {
  const cases: readonly (readonly [string, Order, number | string])[] = [
    ['reserved', orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION', ...pending }), 202],
    [
      'refused, on its way back',
      orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION', ...rejected }),
      202,
    ],
    ['asked for a void', orderIn('PAYMENT_IN_PROGRESS', pending), 202],
    ['applied', orderIn('PENDING_PAYMENT', applied), 200],
    ['refused', orderIn('PENDING_PAYMENT', rejected), 'MODIFICATION_REJECTED'],
    ['too late', orderIn('PAYMENT_DONE', rejected), 'MODIFICATION_REJECTED'],
    ['applied after a failure', orderIn('PAYMENT_FAILED', applied), 200],
    ['refused by a failure', orderIn('ORDER_FAILED', rejected), 'ORDER_FAILED'],
    ['applied and failed', orderIn('ORDER_FAILED', applied), 'ORDER_FAILED'],
  ];

  test.each(cases)('%s', (_what, order, outcome) => {
    expect(outcomeOf(() => modificationAnswer(service, order))).toBe(outcome);
    expect(isModificationDecided(order)).toBe(outcome !== 202);
  });

  test('refused says why', () => {
    const order = orderIn('PENDING_PAYMENT', rejected);
    expect(problemOf(() => modificationAnswer(service, order))).toMatchObject({
      details: { orderId: 'ord_1', reason: 'OUT_OF_STOCK' },
    });
  });
});

describe('the answer to paying', () => {
  const cases: readonly (readonly [string, Payment, number | string, string | null])[] = [
    ['CAPTURED', paymentIn('CAPTURED'), 200, null],
    [
      'CAPTURED, to be refunded',
      paymentIn('CAPTURED', { refundOwed: { reason: 'RESERVATION_GONE' } }),
      'PAYMENT_FAILED',
      'RESERVATION_GONE',
    ],
    ['DECLINED', paymentIn('DECLINED'), 'PAYMENT_DECLINED', 'INSUFFICIENT_FUNDS'],
    ['VOIDED', paymentIn('VOIDED'), 'PAYMENT_FAILED', 'PAYMENT_VOIDED'],
    ['REFUNDED', paymentIn('REFUNDED'), 'PAYMENT_FAILED', 'LATE_CAPTURE'],
    ['FAILED', paymentIn('FAILED'), 'PAYMENT_FAILED', 'PAYMENT_UNCONFIRMED'],
  ];

  test.each(cases)('%s', (_what, payment, outcome, reason) => {
    expect(outcomeOf(() => paymentAnswer(payment, false))).toBe(outcome);
    expect(paymentAnswer(payment, true)).toMatchObject({
      status: 202,
      headers: { Location: '/payment/pay_1' },
    });
    if (outcome === 200) return;
    expect(problemOf(() => paymentAnswer(payment, false))).toMatchObject({
      details: { orderId: 'ord_1', paymentId: 'pay_1', paymentStatus: payment.status, reason },
    });
  });

  test('never shows how it is paid', () => {
    const shown = JSON.stringify(paymentAnswer(paymentIn('PENDING'), true));
    expect(shown).not.toMatch(/tok_ok|gateway-wait/);
  });
});
