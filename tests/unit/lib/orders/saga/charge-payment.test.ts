import { describe, expect, test } from 'vitest';
import { InventoryTimeout, ReservationGone } from '../../../../../lib/inventory/refusals.ts';
import { ReservationExpired } from '../../../../../lib/orders/refusals.ts';
import { awaitAcknowledgement } from '../../../../../lib/orders/saga/await-acknowledgement.ts';
import { chargePayment } from '../../../../../lib/orders/saga/charge-payment.ts';
import { giveUpPayment } from '../../../../../lib/orders/saga/give-up-payment.ts';
import { settlePayment } from '../../../../../lib/orders/saga/settle-payment.ts';
import {
  ModificationRequested,
  OrderModified,
  OrderSettled,
  PaymentCaptured,
  PaymentNotCaptured,
  PaymentPending,
  RunSuperseded,
  StillAwaitingAcknowledgement,
  StillAwaitingPayment,
} from '../../../../../lib/orders/saga/signals.ts';
import type { Payment } from '../../../../../lib/payments/payment.ts';
import { GatewayUnavailable, GatewayUnknown } from '../../../../../lib/payments/refusals.ts';
import { ConcurrentUpdate, InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import { NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const WISH = { status: 'PENDING', items: [{ productId: 'mug', quantity: 5 }] } as const;

const paying = (payment: Payment = paymentIn('INITIATED')) =>
  new World(orderIn('PAYMENT_IN_PROGRESS'), payment);

describe('charging', () => {
  test('extends the reservation past all time-outs first, then charges, then writes', async () => {
    const world = paying();
    await chargePayment(world.service, RUN);
    expect(world.effects).toEqual([
      'inventory.extend ord_1 revision 3',
      'gateway.charge pay_1 2598 tok_ok',
      'save payment CAPTURED',
    ]);
    // By hand in deadlines.test.ts: the longest way from an extension to the confirmation.
    expect(world.extendedUntilMs[0]).toBeGreaterThanOrEqual(NOW_MS + 1_587_000);
    expect(world.extendedUntilMs).toHaveLength(1);
    expect(world.payment()).not.toHaveProperty('refundOwed');
  });

  test('sends the same key again where an earlier try was not answered', async () => {
    const world = paying(paymentIn('PENDING'));
    await chargePayment(world.service, RUN);
    expect(world.effects).toContain('gateway.charge pay_1 2598 tok_ok');
    expect(world.payment().status).toBe('CAPTURED');
  });

  test('never calls the gateway where the payment is captured already', async () => {
    const world = paying(paymentIn('CAPTURED'));
    await chargePayment(world.service, RUN);
    expect(world.effects).toEqual(['inventory.extend ord_1 revision 3']);
    expect(world.payment()).toEqual(paymentIn('CAPTURED'));
    // As long as for a new charge: until the dispatcher could run another saga.
    expect(world.extendedUntilMs).toEqual([NOW_MS + world.deadlines.holdMs]);
  });

  test.each([new ReservationGone('Gone.'), new InventoryTimeout('No answer.')])(
    'leaves it to the confirmation whether the stock of a captured payment is gone',
    async (error) => {
      const world = paying(paymentIn('CAPTURED'));
      world.failAt('inventory.extend', error);
      await chargePayment(world.service, RUN);
      expect(world.effects).toEqual(['inventory.extend ord_1 revision 3']);
      expect(world.payment()).toEqual(paymentIn('CAPTURED'));
    },
  );

  test('extends what Inventory holds, which after a refused change is an older revision', async () => {
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS', { revision: 4, heldRevision: 2 }),
      paymentIn('INITIATED', { revision: 2 }),
    );
    await chargePayment(world.service, RUN);
    expect(world.effects[0]).toBe('inventory.extend ord_1 revision 2');
  });

  test('stops where the user wants other items', async () => {
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS', { modification: WISH }),
      paymentIn('INITIATED'),
    );
    await expect(chargePayment(world.service, RUN)).rejects.toBeInstanceOf(ModificationRequested);
    expect(world.effects).toEqual([]);
  });

  test('is done where the order is paid', async () => {
    const world = new World(orderIn('PAYMENT_DONE'), paymentIn('CAPTURED'));
    await chargePayment(world.service, RUN);
    expect(world.effects).toEqual([]);
  });

  test.each([
    ['DECLINED', paymentIn('DECLINED')],
    ['VOIDED', paymentIn('VOIDED')],
    ['FAILED', paymentIn('FAILED', { voidOwed: true })],
    ['REFUNDED', paymentIn('REFUNDED')],
    ['captured too late', paymentIn('CAPTURED', { refundOwed: { reason: 'LATE_CAPTURE' } })],
  ])('never charges a payment that is %s', async (_what, payment) => {
    const world = paying(payment);
    await expect(chargePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.effects).toEqual([]);
  });

  test('where the stock is gone never calls the gateway: the payment fails with its void owed', async () => {
    const world = paying();
    world.failAt('inventory.extend', new ReservationGone('Gone.'));
    await expect(chargePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.effects).toEqual(['inventory.extend ord_1 revision 3', 'save payment FAILED']);
    expect(world.payment()).toMatchObject({
      status: 'FAILED',
      code: 'RESERVATION_EXPIRED',
      voidOwed: true,
      dueAtMs: NOW_MS + 30_000,
    });
    expect(world.payment()).not.toHaveProperty('methodToken');
  });

  test('that is acknowledged while the stock is found gone fails nothing, and is decided again', async () => {
    const world = paying();
    world.interfere = (call) => {
      if (!call.startsWith('inventory.extend')) return;
      world.put(paymentIn('CAPTURED', { version: 5 }));
      throw new ReservationGone('Gone.');
    };
    await expect(chargePayment(world.service, RUN)).rejects.toBeInstanceOf(ConcurrentUpdate);
    expect(world.payment()).toEqual(paymentIn('CAPTURED', { version: 5 }));
    // The confirmation then finds no stock, and owes the refund.
    await chargePayment(world.service, RUN).catch(() => undefined);
    expect(world.payment().status).toBe('CAPTURED');
  });

  test('does not take an unanswered extension for a no', async () => {
    const world = paying();
    world.failAt('inventory.extend', new InventoryTimeout('No answer.'));
    await expect(chargePayment(world.service, RUN)).rejects.toBeInstanceOf(InventoryTimeout);
    expect(world.effects).toEqual(['inventory.extend ord_1 revision 3']);
    expect(world.payment().status).toBe('INITIATED');
  });

  test('that is declined is a definite no', async () => {
    const world = paying();
    world.chargeOutcome = { status: 'DECLINED', code: 'INSUFFICIENT_FUNDS' };
    await expect(chargePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.payment()).toMatchObject({ status: 'DECLINED', code: 'INSUFFICIENT_FUNDS' });
  });

  test.each([
    ['pending', PaymentPending, undefined],
    ['unavailable', GatewayUnavailable, new GatewayUnavailable('503')],
    ['silent', GatewayUnknown, new GatewayUnknown('No answer.')],
  ])('at a gateway that is %s decides nothing', async (_what, expected, error) => {
    const world = paying();
    world.chargeOutcome = { status: 'PENDING' };
    if (error !== undefined) world.failAt('gateway.charge', error);
    await expect(chargePayment(world.service, RUN)).rejects.toBeInstanceOf(expected);
    expect(world.payment().status).toBe('INITIATED');
  });

  test('finds the payment given up while the gateway worked: the capture owes its refund', async () => {
    const world = paying();
    world.interfere = (call) => {
      if (call.startsWith('gateway.charge')) {
        world.put(paymentIn('FAILED', { version: 9, code: 'PAYMENT_UNCONFIRMED', voidOwed: true }));
      }
    };
    await expect(chargePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.payment()).toMatchObject({
      status: 'CAPTURED',
      version: 10,
      refundOwed: { reason: 'LATE_CAPTURE' },
    });
  });

  test('of an order that a newer run has taken over does nothing', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS', { run: 3 }), paymentIn('INITIATED'));
    await expect(chargePayment(world.service, RUN)).rejects.toBeInstanceOf(RunSuperseded);
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
    await expect(chargePayment(world.service, RUN)).rejects.toBeInstanceOf(expected);
    expect(world.effects).toEqual([]);
  });
});

describe('waiting for the acknowledgement', () => {
  const wait = (world: World) =>
    awaitAcknowledgement(world.service, { ...RUN, waitToken: 'new-wait' });

  test('writes its token where the acknowledgement will be written, and the latest time', async () => {
    const world = paying();
    await wait(world);
    expect(world.effects).toEqual(['save payment PENDING']);
    expect(world.payment()).toMatchObject({
      status: 'PENDING',
      waitToken: 'new-wait',
      methodToken: 'tok_ok',
      acknowledgeByMs: NOW_MS + 180_000,
    });
  });

  test('again replaces the token, keeps the latest time, and recalls the other wait', async () => {
    const world = paying(paymentIn('PENDING', { acknowledgeByMs: NOW_MS + 5 }));
    await wait(world);
    expect(world.effects).toEqual(['save payment PENDING', 'saga.signal gateway-wait']);
    expect(world.payment()).toMatchObject({ waitToken: 'new-wait', acknowledgeByMs: NOW_MS + 5 });
  });

  test('again, after the latest time, completes itself', async () => {
    const world = paying(paymentIn('PENDING', { acknowledgeByMs: NOW_MS }));
    await wait(world);
    expect(world.effects).toEqual([
      'save payment PENDING',
      'saga.signal gateway-wait',
      'saga.signal new-wait',
    ]);
  });

  test('completes itself where the user wanted other items before the token was there', async () => {
    const world = paying();
    world.interfere = (call) => {
      // Between the step's first read and its write, the user's signal finds no token yet.
      if (call !== 'save payment PENDING') return;
      world.put(orderIn('PAYMENT_IN_PROGRESS', { version: 8, modification: WISH }));
    };
    await wait(world);
    expect(world.effects).toEqual(['save payment PENDING', 'saga.signal new-wait']);
  });

  test('completes itself where the user wants other items, after its token is stored', async () => {
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS', { modification: WISH }),
      paymentIn('INITIATED'),
    );
    await wait(world);
    expect(world.effects).toEqual(['save payment PENDING', 'saga.signal new-wait']);
  });

  test.each([
    ['the payment is settled', orderIn('PAYMENT_IN_PROGRESS'), paymentIn('CAPTURED')],
    ['the payment was declined', orderIn('PAYMENT_IN_PROGRESS'), paymentIn('DECLINED')],
    ['the order was rolled back', orderIn('PAYMENT_FAILED'), paymentIn('PENDING')],
    ['the order is paid', orderIn('PAYMENT_DONE'), paymentIn('CAPTURED')],
  ])('completes itself where %s', async (_what, order, payment) => {
    const world = new World(order, payment);
    await wait(world);
    expect(world.effects).toEqual(['saga.signal new-wait']);
  });

  test('completes itself where the acknowledgement comes in just before its own write', async () => {
    const world = paying();
    world.interfere = (call) => {
      if (call === 'save payment PENDING') world.put(paymentIn('CAPTURED', { version: 5 }));
    };
    await wait(world);
    expect(world.effects).toEqual(['save payment PENDING', 'saga.signal new-wait']);
    expect(world.payment().status).toBe('CAPTURED');
  });
});

describe('settling what was not acknowledged', () => {
  const overdue = () => paying(paymentIn('PENDING', { acknowledgeByMs: NOW_MS }));

  test('takes a capture that the gateway knows of', async () => {
    const world = overdue();
    world.foundCharge = { status: 'CAPTURED' };
    await settlePayment(world.service, RUN);
    expect(world.effects).toEqual(['gateway.find pay_1', 'save payment CAPTURED']);
  });

  test.each([undefined, { status: 'PENDING' as const }])(
    'voids what the gateway knows only as %j, so that it never can be captured',
    async (found) => {
      const world = overdue();
      world.foundCharge = found;
      await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
      expect(world.effects).toEqual([
        'gateway.find pay_1',
        'gateway.void pay_1',
        'save payment VOIDED',
      ]);
    },
  );

  test('takes the capture that came between asking and voiding', async () => {
    const world = overdue();
    world.voidOutcome = { status: 'CAPTURED' };
    await settlePayment(world.service, RUN);
    expect(world.payment().status).toBe('CAPTURED');
  });

  test('is unknown still where not even the void is final', async () => {
    const world = overdue();
    world.voidOutcome = { status: 'PENDING' };
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(GatewayUnknown);
    expect(world.payment().status).toBe('PENDING');
  });

  test('asks nobody before the gateway has had its time', async () => {
    const world = paying(paymentIn('PENDING', { acknowledgeByMs: NOW_MS + 10_000 }));
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(
      StillAwaitingAcknowledgement,
    );
    expect(world.effects).toEqual([]);
  });

  test('counts a timer that fires a moment early', async () => {
    const world = paying(paymentIn('PENDING', { acknowledgeByMs: NOW_MS + 1000 }));
    world.foundCharge = { status: 'CAPTURED' };
    await settlePayment(world.service, RUN);
    expect(world.payment().status).toBe('CAPTURED');
  });

  test('leaves the payment as it is where the gateway cannot be asked', async () => {
    const world = overdue();
    world.failAt('gateway.find', new GatewayUnavailable('503'));
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(GatewayUnavailable);
    expect(world.effects).toEqual(['gateway.find pay_1']);
  });
});

describe('settling for a user who wants other items', () => {
  const wishing = (payment: Payment) =>
    new World(
      orderIn('PAYMENT_IN_PROGRESS', { modification: WISH, revision: 5, heldRevision: 3 }),
      payment,
    );

  test('does not wait for the acknowledgement: voids, then reserves at a new revision', async () => {
    const world = wishing(paymentIn('PENDING'));
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(OrderModified);
    expect(world.effects).toEqual([
      'gateway.find pay_1',
      'gateway.void pay_1',
      'save payment VOIDED',
      'save order PENDING_RESERVING_STOCK',
    ]);
    expect(world.order).toMatchObject({
      purpose: 'MODIFICATION',
      revision: 6,
      former: { revision: 3, expiresAtMs: NOW_MS + 600_000 },
      modification: WISH,
    });
  });

  test('after a crash behind the void goes on where it was', async () => {
    const world = wishing(paymentIn('VOIDED'));
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(OrderModified);
    expect(world.effects).toEqual(['save order PENDING_RESERVING_STOCK']);
  });

  test('keeps a payment that is captured: it is confirmed and the wish refused there', async () => {
    const world = wishing(paymentIn('PENDING'));
    world.foundCharge = { status: 'CAPTURED' };
    await settlePayment(world.service, RUN);
    expect(world.payment().status).toBe('CAPTURED');
    expect(world.order.modification).toEqual(WISH);
  });

  test('asks again where the gateway does not answer: unknown is not voided', async () => {
    const world = wishing(paymentIn('PENDING'));
    world.failAt('gateway.void', new GatewayUnknown('No answer.'));
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(GatewayUnknown);
    expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
    expect(world.payment().status).toBe('PENDING');
  });
});

describe('giving a payment up', () => {
  test('fails it with its void owed and leaves a dead letter', async () => {
    const world = paying(paymentIn('PENDING'));
    await giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' });
    expect(world.effects).toEqual([
      'save payment FAILED',
      'dead letter settle-payment GatewayUnavailable',
    ]);
    expect(world.deadLetters).toEqual([
      { ...RUN, step: 'settle-payment', error: 'GatewayUnavailable' },
    ]);
    expect(world.payment()).toMatchObject({
      code: 'PAYMENT_UNCONFIRMED',
      voidOwed: true,
      dueAtMs: NOW_MS + 30_000,
    });
  });

  test('leaves no letter as long as the payment cannot be written', async () => {
    const world = paying(paymentIn('PENDING'));
    world.failAt('save payment', new InfrastructureUnavailable('No database.'));
    await expect(
      giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' }),
    ).rejects.toBeInstanceOf(InfrastructureUnavailable);
    expect(world.deadLetters).toEqual([]);
  });

  test('whose letter was not taken sends it when it is repeated', async () => {
    const world = paying(paymentIn('PENDING'));
    world.failAt('dead letter', new InfrastructureUnavailable('No queue.'));
    await expect(
      giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' }),
    ).rejects.toBeInstanceOf(InfrastructureUnavailable);
    world.interfere = () => undefined;
    await giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' });
    expect(world.deadLetters).toHaveLength(1);
    expect(world.payment()).toMatchObject({ status: 'FAILED', voidOwed: true, version: 5 });
  });

  test('meets a capture in its own write, and goes on to confirm it', async () => {
    const world = paying(paymentIn('PENDING'));
    world.interfere = (call) => {
      if (call === 'save payment FAILED') world.put(paymentIn('CAPTURED', { version: 5 }));
    };
    await expect(
      giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' }),
    ).rejects.toBeInstanceOf(PaymentCaptured);
    expect(world.payment()).toEqual(paymentIn('CAPTURED', { version: 5 }));
  });

  test.each([
    ['declined', paymentIn('DECLINED')],
    ['to be refunded', paymentIn('CAPTURED', { refundOwed: { reason: 'LATE_CAPTURE' } })],
  ])('that is %s by now leaves it to be compensated', async (_what, payment) => {
    const world = paying(payment);
    await giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' });
    expect(world.payment()).toEqual(payment);
  });

  test.each(['PENDING_RESERVING_STOCK', 'PAYMENT_DONE', 'PAYMENT_FAILED'] as const)(
    'of an order that is %s leaves only the dead letter of what was used up',
    async (status) => {
      const world = new World(orderIn(status), paymentIn('PENDING'));
      await giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' });
      expect(world.effects).toEqual(['dead letter settle-payment GatewayUnavailable']);
    },
  );

  test('leaves a capture that came in meanwhile, and goes on to confirm it', async () => {
    const world = paying(paymentIn('CAPTURED'));
    await expect(
      giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' }),
    ).rejects.toBeInstanceOf(PaymentCaptured);
    expect(world.payment()).toEqual(paymentIn('CAPTURED'));
  });
});
