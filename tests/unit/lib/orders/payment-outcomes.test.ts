import { describe, expect, test } from 'vitest';
import {
  failPayment,
  recordOutcome,
  recordRefundDue,
} from '../../../../lib/orders/payment-outcomes.ts';
import type { Payment } from '../../../../lib/payments/payment.ts';
import type { ChargeOutcome } from '../../../../lib/payments/payment-gateway.ts';
import { InfrastructureUnavailable } from '../../../../lib/platform/errors.ts';
import { EUR_26, KEY, NOW_MS, orderIn, paymentIn, World } from './fakes.ts';

const PAYMENTS = {
  INITIATED: paymentIn('INITIATED'),
  PENDING: paymentIn('PENDING'),
  CAPTURED: paymentIn('CAPTURED'),
  'CAPTURED, refund owed': paymentIn('CAPTURED', {
    refundOwed: { reason: 'RESERVATION_GONE', dueAtMs: 1 },
  }),
  DECLINED: paymentIn('DECLINED'),
  VOIDED: paymentIn('VOIDED'),
  REFUNDED: paymentIn('REFUNDED'),
  FAILED: paymentIn('FAILED'),
  'FAILED, void owed': paymentIn('FAILED', { voidOwed: { dueAtMs: 1 } }),
} as const satisfies Record<string, Payment>;

const OUTCOMES = {
  CAPTURED: { status: 'CAPTURED' },
  DECLINED: { status: 'DECLINED', code: 'CARD_STOLEN' },
  VOIDED: { status: 'VOIDED' },
  REFUNDED: { status: 'REFUNDED' },
  PENDING: { status: 'PENDING' },
  MISCHARGED: { status: 'MISCHARGED' },
} as const satisfies Record<string, ChargeOutcome>;

const MISMATCH = 'CAPTURED, AMOUNT_MISMATCH to be refunded';
const LATE = 'CAPTURED, LATE_CAPTURE to be refunded';

/** By hand: the payment after each outcome at the gateway, by the payment before. */
const TABLE: Readonly<Record<keyof typeof PAYMENTS, Record<keyof typeof OUTCOMES, string>>> = {
  INITIATED: {
    CAPTURED: 'CAPTURED',
    DECLINED: 'DECLINED CARD_STOLEN',
    VOIDED: 'VOIDED PAYMENT_VOIDED',
    REFUNDED: 'VOIDED PAYMENT_VOIDED',
    PENDING: 'as it was',
    MISCHARGED: MISMATCH,
  },
  PENDING: {
    CAPTURED: 'CAPTURED',
    DECLINED: 'DECLINED CARD_STOLEN',
    VOIDED: 'VOIDED PAYMENT_VOIDED',
    REFUNDED: 'VOIDED PAYMENT_VOIDED',
    PENDING: 'as it was',
    MISCHARGED: MISMATCH,
  },
  CAPTURED: {
    CAPTURED: 'as it was',
    DECLINED: 'as it was',
    VOIDED: 'as it was',
    REFUNDED: 'as it was',
    PENDING: 'as it was',
    MISCHARGED: 'as it was',
  },
  'CAPTURED, refund owed': {
    CAPTURED: 'as it was',
    DECLINED: 'as it was',
    VOIDED: 'as it was',
    REFUNDED: 'as it was',
    PENDING: 'as it was',
    MISCHARGED: 'as it was',
  },
  DECLINED: {
    CAPTURED: LATE,
    DECLINED: 'as it was',
    VOIDED: 'as it was',
    REFUNDED: 'as it was',
    PENDING: 'as it was',
    MISCHARGED: MISMATCH,
  },
  VOIDED: {
    CAPTURED: LATE,
    DECLINED: 'as it was',
    VOIDED: 'as it was',
    REFUNDED: 'as it was',
    PENDING: 'as it was',
    MISCHARGED: MISMATCH,
  },
  REFUNDED: {
    CAPTURED: 'as it was',
    DECLINED: 'as it was',
    VOIDED: 'as it was',
    REFUNDED: 'as it was',
    PENDING: 'as it was',
    MISCHARGED: 'as it was',
  },
  FAILED: {
    CAPTURED: LATE,
    DECLINED: 'as it was',
    VOIDED: 'as it was',
    REFUNDED: 'as it was',
    PENDING: 'as it was',
    MISCHARGED: MISMATCH,
  },
  'FAILED, void owed': {
    CAPTURED: LATE,
    DECLINED: 'DECLINED CARD_STOLEN',
    VOIDED: 'VOIDED PAYMENT_UNCONFIRMED',
    REFUNDED: 'VOIDED PAYMENT_UNCONFIRMED',
    PENDING: 'as it was',
    MISCHARGED: MISMATCH,
  },
};

const cases = Object.entries(TABLE).flatMap(([before, row]) =>
  Object.entries(row).map(
    ([outcome, after]) =>
      [before as keyof typeof PAYMENTS, outcome as keyof typeof OUTCOMES, after] as const,
  ),
);

describe('recording an outcome', () => {
  test.each(cases)('on %s: %s makes it %s', async (before, outcome, after) => {
    const stored = PAYMENTS[before];
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), stored);
    const recorded = await recordOutcome(world.service, KEY, OUTCOMES[outcome]);
    const { payment: result } = recorded;
    expect(recorded).toEqual({ order: world.order, payment: world.payment() });
    if (after === 'as it was') {
      expect(world.payment()).toEqual(stored);
      expect(world.effects).toEqual([]);
      expect(world.methods.size).toBe(1);
      return;
    }
    expect(world.effects).toHaveLength(1);
    const { status } = result;
    const code = 'code' in result ? ` ${result.code}` : '';
    const owed =
      status === 'CAPTURED' && result.refundOwed !== undefined
        ? `, ${result.refundOwed.reason} to be refunded`
        : '';
    expect(status + code + owed).toBe(after);
    // No caller of GET /order sees it.
    expect(world.order).toMatchObject({ version: 7, writes: 18 });
    expect(result.history.at(-1)).toMatchObject({ from: stored.status, to: status });
    expect(result).not.toHaveProperty('methodId');
    expect(world.methods.has('met_1')).toBe(!('methodId' in stored));
    expect(result).not.toHaveProperty('voidOwed');
  });

  test.each(['DECLINED', 'VOIDED', 'FAILED', 'FAILED, void owed'] as const)(
    'of a late capture on %s puts the refund into the outbox in the same write',
    async (before) => {
      const world = new World(orderIn('PAYMENT_FAILED'), PAYMENTS[before]);
      await recordOutcome(world.service, KEY, OUTCOMES.CAPTURED);
      expect(world.effects).toEqual(['save payment CAPTURED']);
      expect(world.payment()).toMatchObject({
        status: 'CAPTURED',
        refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS + 30_000 },
      });
    },
  );

  test.each([
    ['is not being paid', orderIn('ORDER_FAILED'), []],
    ['reserves other items', orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION' }), []],
    [
      'is paid with another one',
      orderIn('PAYMENT_IN_PROGRESS'),
      [paymentIn('INITIATED', { paymentId: 'pay_2' })],
    ],
  ])(
    'of an open payment of an order that %s: the captured money goes back',
    async (_what, order, others) => {
      const world = new World(order, paymentIn('INITIATED'), ...others);
      await recordOutcome(world.service, KEY, OUTCOMES.CAPTURED);
      expect(world.payment()).toMatchObject({ refundOwed: { reason: 'LATE_CAPTURE' } });
    },
  );

  test('of an open payment whose stock is being reserved again is its own', async () => {
    const purpose = { purpose: 'PAYMENT_RETRY', total: EUR_26 } as const;
    const world = new World(orderIn('PENDING_RESERVING_STOCK', purpose), paymentIn('INITIATED'));
    await recordOutcome(world.service, KEY, OUTCOMES.CAPTURED);
    expect(world.payment()).not.toHaveProperty('refundOwed');
  });

  test('stands, though the token of its method cannot be removed', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('PENDING'));
    world.interfere = (call) => {
      if (call.startsWith('forget method')) throw new InfrastructureUnavailable('No answer.');
    };
    await recordOutcome(world.service, KEY, OUTCOMES.CAPTURED);
    expect(world.payment().status).toBe('CAPTURED');
  });

  test('decides anew where somebody else was faster', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('PENDING'));
    let isFirst = true;
    world.interfere = (call) => {
      if (!call.startsWith('save payment') || !isFirst) return;
      isFirst = false;
      world.put(paymentIn('FAILED', { voidOwed: { dueAtMs: NOW_MS } }));
    };
    await recordOutcome(world.service, KEY, OUTCOMES.CAPTURED);
    expect(world.payment()).toMatchObject({
      status: 'CAPTURED',
      refundOwed: { reason: 'LATE_CAPTURE' },
    });
  });
});

describe('owing', () => {
  test('a refund once: the first reason stays', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('CAPTURED'));
    await recordRefundDue(world.service, KEY, 'RESERVATION_GONE');
    await recordRefundDue(world.service, KEY, 'SOMETHING_ELSE');
    expect(world.effects).toEqual(['save payment CAPTURED']);
    expect(world.payment()).toMatchObject({
      refundOwed: { reason: 'RESERVATION_GONE', dueAtMs: NOW_MS + 30_000 },
    });
  });

  test.each(['CAPTURED', 'DECLINED', 'VOIDED', 'REFUNDED', 'FAILED'] as const)(
    'nothing new where a payment that is %s is to fail',
    async (status) => {
      const world = new World(orderIn('PAYMENT_IN_PROGRESS'), PAYMENTS[status]);
      await failPayment(world.service, KEY, 'PAYMENT_UNCONFIRMED');
      expect(world.effects).toEqual([]);
    },
  );
});
