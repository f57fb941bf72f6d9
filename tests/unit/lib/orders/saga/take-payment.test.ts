import { describe, expect, test } from 'vitest';
import { InventoryTimeout, ReservationGone } from '../../../../../lib/inventory/refusals.ts';
import type { PaymentInProgressOrder } from '../../../../../lib/orders/order.ts';
import { refundsOf } from '../../../../../lib/orders/order-payments.ts';
import { ReservationExpired } from '../../../../../lib/orders/refusals.ts';
import {
  ConfirmationUnfinished,
  ModificationRequested,
  OrderModified,
  OrderSettled,
  PaymentNotCaptured,
  PaymentPending,
  RunSuperseded,
  StillAwaitingPayment,
} from '../../../../../lib/orders/saga/signals.ts';
import { takePayment, voidOrRefund } from '../../../../../lib/orders/saga/take-payment.ts';
import type { Payment } from '../../../../../lib/payments/payment.ts';
import { GatewayUnavailable, GatewayUnknown } from '../../../../../lib/payments/refusals.ts';
import { ConcurrentUpdate } from '../../../../../lib/platform/errors.ts';
import { EUR_26, KEY, NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const WISH = { status: 'PENDING', items: [{ productId: 'mug', quantity: 5 }] } as const;

const paying = (payment: Payment = paymentIn('INITIATED')) =>
  new World(orderIn('PAYMENT_IN_PROGRESS'), payment);

/** Begun so late after the time to pay that the hold could end before the payment. */
const payingLate = (payment: Payment = paymentIn('INITIATED'), changes: object = {}) => {
  const world = new World(orderIn('PAYMENT_IN_PROGRESS', changes), payment);
  const { allowanceMs, holdMs } = world.deadlines;
  const reservationExpiresAtMs = NOW_MS - (allowanceMs - holdMs) - 1;
  world.put({ ...world.order, reservationExpiresAtMs } as PaymentInProgressOrder);
  return world;
};

describe('charging', () => {
  test('charges, writes, and confirms; the hold outlasts a payment that was begun in time', async () => {
    const world = paying();
    const { allowanceMs, holdMs } = world.deadlines;
    const reservationExpiresAtMs = NOW_MS - (allowanceMs - holdMs);
    world.put({ ...world.order, reservationExpiresAtMs } as PaymentInProgressOrder);
    await takePayment(world.service, RUN);
    expect(world.effects).toEqual([
      'gateway.charge pay_1 2598 tok_ok',
      'save payment CAPTURED',
      'inventory.confirm pay_1 for ord_1 revision 3',
      'save order PAYMENT_DONE',
    ]);
    expect(world.payment()).not.toHaveProperty('refundOwed');
  });

  test('late, extends the reservation past all time-outs first', async () => {
    const world = payingLate();
    await takePayment(world.service, RUN);
    expect(world.effects.slice(0, 2)).toEqual([
      'inventory.extend ord_1 revision 3',
      'gateway.charge pay_1 2598 tok_ok',
    ]);
    // By hand in deadlines.test.ts: the longest way from an extension to the confirmation.
    expect(world.extendedBySeconds[0]).toBeGreaterThanOrEqual(1914);
    expect(world.extendedBySeconds).toHaveLength(1);
  });

  test('sends the same key again where an earlier try was not answered', async () => {
    const world = paying(paymentIn('PENDING'));
    await takePayment(world.service, RUN);
    expect(world.effects).toContain('gateway.charge pay_1 2598 tok_ok');
    expect(world.payment().status).toBe('CAPTURED');
  });

  test('never calls the gateway where the payment is captured already', async () => {
    const world = payingLate(paymentIn('CAPTURED'));
    await takePayment(world.service, RUN);
    expect(world.effects).toEqual([
      'inventory.extend ord_1 revision 3',
      'inventory.confirm pay_1 for ord_1 revision 3',
      'save order PAYMENT_DONE',
    ]);
    expect(world.payment()).toEqual(paymentIn('CAPTURED'));
    // As long as for a new charge: until the dispatcher could run another saga.
    expect(world.extendedBySeconds[0]).toBeGreaterThanOrEqual(world.deadlines.holdMs / 1000);
  });

  test.each([new ReservationGone('Gone.'), new InventoryTimeout('No answer.')])(
    'leaves it to the confirmation whether the stock of a captured payment is gone',
    async (error) => {
      const world = payingLate(paymentIn('CAPTURED'));
      world.failAt('inventory.extend', error);
      await takePayment(world.service, RUN);
      expect(world.effects).toContain('inventory.confirm pay_1 for ord_1 revision 3');
      expect(world.payment()).toEqual(paymentIn('CAPTURED'));
    },
  );

  test('extends what Inventory holds, which after a refused change is an older revision', async () => {
    const revisions = { revision: 4, heldRevision: 2 };
    const world = payingLate(paymentIn('INITIATED', { revision: 2 }), revisions);
    await takePayment(world.service, RUN);
    expect(world.effects[0]).toBe('inventory.extend ord_1 revision 2');
  });

  test.each([
    ['inventory.confirm', new InventoryTimeout('No answer.'), 'PAYMENT_IN_PROGRESS'],
    ['inventory.confirm', new ReservationGone('Gone.'), 'PAYMENT_IN_PROGRESS'],
    ['save order PAYMENT_DONE', new ConcurrentUpdate('Changed.'), 'PAYMENT_IN_PROGRESS'],
  ])(
    'names every failure after the capture is written alike (%s)',
    async (effect, cause, status) => {
      const world = paying();
      world.failAt(effect, cause);
      const failure = await takePayment(world.service, RUN).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ConfirmationUnfinished);
      expect(failure).toHaveProperty('cause', cause);
      expect(world.effects).toContain('save payment CAPTURED');
      expect(world.order.status).toBe(status);
    },
  );

  test('charges and sells once, though others write the order before each of its writes', async () => {
    const world = paying();
    const met = new Set<string>();
    world.interfere = (call) => {
      if (!call.startsWith('save') || met.has(call)) return;
      met.add(call);
      world.put({ ...world.order, writes: world.order.writes + 1 });
    };
    await takePayment(world.service, RUN);
    expect(world.order.status).toBe('PAYMENT_DONE');
    expect(world.effects.filter((call) => /^(gateway|inventory.confirm)/.test(call))).toHaveLength(
      2,
    );
  });

  test('of a run that is replaced while the gateway works writes the capture down, and stops', async () => {
    const world = paying();
    world.interfere = (call) => {
      if (call.startsWith('gateway.charge')) world.put({ ...world.order, run: 3, writes: 18 });
    };
    const failure = await takePayment(world.service, RUN).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfirmationUnfinished);
    expect(failure).toHaveProperty('cause.name', 'RunSuperseded');
    expect(world.effects.at(-1)).toBe('save payment CAPTURED');
  });

  test('stops where the user wants other items', async () => {
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS', { modification: WISH }),
      paymentIn('INITIATED'),
    );
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(ModificationRequested);
    expect(world.effects).toEqual([]);
  });

  test('is done where the order is paid', async () => {
    const world = new World(orderIn('PAYMENT_DONE'), paymentIn('CAPTURED'));
    await takePayment(world.service, RUN);
    expect(world.effects).toEqual([]);
  });

  test.each([
    ['DECLINED', paymentIn('DECLINED')],
    ['VOIDED', paymentIn('VOIDED')],
    ['FAILED', paymentIn('FAILED', { voidOwed: { dueAtMs: NOW_MS } })],
    ['REFUNDED', paymentIn('REFUNDED')],
    [
      'captured too late',
      paymentIn('CAPTURED', { refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS } }),
    ],
  ])('never charges a payment that is %s', async (_what, payment) => {
    const world = paying(payment);
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.effects).toEqual([]);
  });

  test('that Inventory would not hold long enough is not charged either', async () => {
    const world = payingLate();
    world.longestHoldMs = world.deadlines.holdMs - 1;
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.effects).toEqual(['inventory.extend ord_1 revision 3', 'save payment FAILED']);
  });

  test('whose method is no longer kept is not charged', async () => {
    const world = paying();
    world.methods.clear();
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.effects).toEqual(['save payment FAILED']);
    expect(world.payment()).toMatchObject({ code: 'PAYMENT_METHOD_EXPIRED' });
  });

  test('where the stock is gone never calls the gateway: the payment fails with its void owed', async () => {
    const world = payingLate();
    world.failAt('inventory.extend', new ReservationGone('Gone.'));
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.effects).toEqual(['inventory.extend ord_1 revision 3', 'save payment FAILED']);
    expect(world.payment()).toMatchObject({
      status: 'FAILED',
      code: 'RESERVATION_EXPIRED',
      voidOwed: { dueAtMs: NOW_MS + 30_000 },
    });
    expect(world.payment()).not.toHaveProperty('methodId');
  });

  test('that is acknowledged while the stock is found gone fails nothing, and is decided again', async () => {
    const world = payingLate();
    world.interfere = (call) => {
      if (!call.startsWith('inventory.extend')) return;
      world.put(paymentIn('CAPTURED'));
      throw new ReservationGone('Gone.');
    };
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(ConcurrentUpdate);
    expect(world.payment()).toEqual(paymentIn('CAPTURED'));
    // The confirmation then finds no stock, and owes the refund.
    await takePayment(world.service, RUN).catch(() => undefined);
    expect(world.payment().status).toBe('CAPTURED');
  });

  test('does not take an unanswered extension for a no', async () => {
    const world = payingLate();
    world.failAt('inventory.extend', new InventoryTimeout('No answer.'));
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(InventoryTimeout);
    expect(world.effects).toEqual(['inventory.extend ord_1 revision 3']);
    expect(world.payment().status).toBe('INITIATED');
  });

  test('that is declined is a definite no', async () => {
    const world = payingLate();
    world.chargeOutcome = { status: 'DECLINED', code: 'INSUFFICIENT_FUNDS' };
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.payment()).toMatchObject({ status: 'DECLINED', code: 'INSUFFICIENT_FUNDS' });
  });

  test.each([
    ['pending', PaymentPending, undefined],
    ['unavailable', GatewayUnavailable, new GatewayUnavailable('503')],
    ['silent', GatewayUnknown, new GatewayUnknown('No answer.')],
  ])('at a gateway that is %s decides nothing', async (_what, expected, error) => {
    const world = payingLate();
    world.chargeOutcome = { status: 'PENDING' };
    if (error !== undefined) world.failAt('gateway.charge', error);
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(expected);
    expect(world.payment().status).toBe('INITIATED');
  });

  test('finds the payment given up while the gateway worked: the capture owes its refund', async () => {
    const world = payingLate();
    world.interfere = (call) => {
      if (call.startsWith('gateway.charge')) {
        world.put(
          paymentIn('FAILED', { code: 'PAYMENT_UNCONFIRMED', voidOwed: { dueAtMs: NOW_MS } }),
        );
      }
    };
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.payment()).toMatchObject({
      status: 'CAPTURED',
      refundOwed: { reason: 'LATE_CAPTURE' },
    });
  });

  test('of an order that a newer run has taken over does nothing', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS', { run: 3 }), paymentIn('INITIATED'));
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(RunSuperseded);
    expect(world.effects).toEqual([]);
  });

  test.each([
    ['waits for its user', orderIn('PENDING_PAYMENT'), StillAwaitingPayment],
    [
      'has run out of time',
      orderIn('PENDING_PAYMENT', { reservationExpiresAtMs: NOW_MS }),
      ReservationExpired,
    ],
    ['is to be reserved again', orderIn('PENDING_RESERVING_STOCK'), OrderModified],
    ['starts anew', orderIn('CREATED'), OrderModified],
    ['failed', orderIn('ORDER_FAILED'), OrderSettled],
    ['was cancelled', orderIn('ORDER_CANCELLED'), OrderSettled],
    ['was rolled back', orderIn('PAYMENT_FAILED'), OrderSettled],
    ['is invalid', orderIn('INVALID'), OrderSettled],
  ])('an order that %s follows its status and charges nothing', async (_what, order, expected) => {
    const world = new World(order, paymentIn('INITIATED'));
    await expect(takePayment(world.service, RUN)).rejects.toBeInstanceOf(expected);
    expect(world.effects).toEqual([]);
  });
});

describe('meeting an obligation', () => {
  const REFUND_OWED = paymentIn('CAPTURED', {
    refundOwed: { reason: 'RESERVATION_GONE', dueAtMs: 1 },
  });
  const VOID_OWED = paymentIn('FAILED', { voidOwed: { dueAtMs: 1 } });
  const owing = (payment: Payment) => new World(orderIn('PAYMENT_FAILED'), payment);

  test('refunds at the gateway, then writes it, which the order shows', async () => {
    const world = owing(REFUND_OWED);
    await voidOrRefund(world.service, KEY);
    expect(world.effects).toEqual(['gateway.refund pay_1', 'save payment REFUNDED']);
    expect(world.payment()).toMatchObject({ status: 'REFUNDED', code: 'RESERVATION_GONE' });
    expect(world.payment()).not.toHaveProperty('dueAtMs');
    expect(refundsOf(world.order)).toEqual([
      { paymentId: 'pay_1', amount: EUR_26, at: '2026-03-01T12:00:00.000Z' },
    ]);
  });

  test('twice refunds once', async () => {
    const world = owing(REFUND_OWED);
    await voidOrRefund(world.service, KEY);
    await voidOrRefund(world.service, KEY);
    expect(world.effects.filter((call) => call.startsWith('gateway.'))).toHaveLength(1);
    expect(refundsOf(world.order)).toHaveLength(1);
  });

  test('shows one refund though the order was changed in between', async () => {
    const world = owing(REFUND_OWED);
    let isFirst = true;
    world.interfere = (call) => {
      if (!call.startsWith('save payment') || !isFirst) return;
      isFirst = false;
      world.put(orderIn('ORDER_CANCELLED', { version: 8, writes: 18, payments: [REFUND_OWED] }));
    };
    await voidOrRefund(world.service, KEY);
    expect(world.order).toMatchObject({ status: 'ORDER_CANCELLED', version: 9 });
    expect(refundsOf(world.order)).toHaveLength(1);
  });

  test.each([{ status: 'PENDING' }, { status: 'CAPTURED' }] as const)(
    'does not take a refund for done that the gateway answers with %j',
    async (outcome) => {
      const world = owing(REFUND_OWED);
      world.refundOutcome = outcome;
      await expect(voidOrRefund(world.service, KEY)).rejects.toBeInstanceOf(GatewayUnknown);
      expect(world.payment()).toEqual(REFUND_OWED);
      expect(refundsOf(world.order)).toEqual([]);
    },
  );

  test('voids what was given up', async () => {
    const world = owing(VOID_OWED);
    await voidOrRefund(world.service, KEY);
    expect(world.effects).toEqual(['gateway.void pay_1', 'save payment VOIDED']);
    expect(world.payment()).not.toHaveProperty('dueAtMs');
  });

  test('refunds at once what turns out captured when it is to be voided', async () => {
    const world = owing(VOID_OWED);
    world.voidOutcome = { status: 'CAPTURED' };
    await voidOrRefund(world.service, KEY);
    expect(world.effects).toEqual([
      'gateway.void pay_1',
      'save payment CAPTURED',
      'gateway.refund pay_1',
      'save payment REFUNDED',
    ]);
  });

  test.each([
    ['gateway.void', VOID_OWED],
    ['gateway.refund', REFUND_OWED],
  ])('that fails at %s is owed as before', async (call, payment) => {
    const world = owing(payment);
    world.failAt(call, new GatewayUnavailable('503'));
    await expect(voidOrRefund(world.service, KEY)).rejects.toBeInstanceOf(GatewayUnavailable);
    expect(world.payment()).toEqual(payment);
  });

  test('does not take a void for done that is not final', async () => {
    const world = owing(VOID_OWED);
    world.voidOutcome = { status: 'PENDING' };
    await expect(voidOrRefund(world.service, KEY)).rejects.toBeInstanceOf(GatewayUnknown);
    expect(world.payment()).toEqual(VOID_OWED);
  });

  test.each(['CAPTURED', 'DECLINED', 'VOIDED', 'REFUNDED', 'FAILED', 'PENDING'] as const)(
    'has nothing to do for a payment that is %s and owes nothing',
    async (status) => {
      const world = owing(paymentIn(status));
      await voidOrRefund(world.service, KEY);
      expect(world.effects).toEqual([]);
    },
  );
});
