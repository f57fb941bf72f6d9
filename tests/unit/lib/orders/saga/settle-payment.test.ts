import { describe, expect, test } from 'vitest';
import { InventoryTimeout } from '../../../../../lib/inventory/refusals.ts';
import { MAX_RUNS_PER_ORDER } from '../../../../../lib/limits.ts';
import { settlePayment } from '../../../../../lib/orders/saga/settle-payment.ts';
import {
  ConfirmationUnfinished,
  OrderModified,
  PaymentNotCaptured,
  PaymentPending,
  StillAwaitingAcknowledgement,
} from '../../../../../lib/orders/saga/signals.ts';
import type { Payment } from '../../../../../lib/payments/payment.ts';
import { GatewayUnavailable, GatewayUnknown } from '../../../../../lib/payments/refusals.ts';
import { NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const WISH = { status: 'PENDING', items: [{ productId: 'mug', quantity: 5 }] } as const;

const paying = (payment: Payment = paymentIn('INITIATED')) =>
  new World(orderIn('PAYMENT_IN_PROGRESS'), payment);

describe('settling what was not acknowledged', () => {
  const overdue = () => paying(paymentIn('PENDING', { acknowledgeByMs: NOW_MS }));

  test('voids once and reserves the items that the user asked for meanwhile', async () => {
    const world = overdue();
    world.interfere = (call) => {
      if (call !== 'gateway.void pay_1') return;
      const { order } = world;
      world.put({ ...order, modification: WISH, version: 8, writes: 18 });
    };
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(OrderModified);
    expect(world.effects).toEqual([
      'gateway.find pay_1',
      'gateway.void pay_1',
      // Refused: the order has changed since it was read.
      'save payment VOIDED',
      'save payment VOIDED',
      'save order PENDING_RESERVING_STOCK',
    ]);
  });

  test('takes and confirms a capture that the gateway knows of', async () => {
    const world = overdue();
    world.foundCharge = { status: 'CAPTURED' };
    await settlePayment(world.service, RUN);
    expect(world.effects).toEqual([
      'gateway.find pay_1',
      'save payment CAPTURED',
      'inventory.confirm pay_1 for ord_1 revision 3',
      'save order PAYMENT_DONE',
    ]);
  });

  test('tells a failure after the capture from one before it', async () => {
    const world = overdue();
    world.foundCharge = { status: 'CAPTURED' };
    world.failAt('inventory.confirm', new InventoryTimeout('no answer'));
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(ConfirmationUnfinished);
    expect(world.payment().status).toBe('CAPTURED');
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

describe('settling a charge that crashed', () => {
  const PENDING = { status: 'PENDING' } as const;

  test('waits for the acknowledgement of a charge that the gateway has not decided', async () => {
    const world = paying();
    world.foundCharge = PENDING;
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentPending);
    // Its time runs from here on, so a wait that cannot begin is over, too.
    expect(world.effects).toEqual(['gateway.find pay_1', 'save payment PENDING']);
    expect(world.payment()).toMatchObject({ acknowledgeByMs: NOW_MS + 180_000 });
  });

  test('voids at once what the gateway does not know, so that it never can be charged', async () => {
    const world = paying();
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.effects).toEqual([
      'gateway.find pay_1',
      'gateway.void pay_1',
      'save payment VOIDED',
    ]);
  });

  test.each([
    ['no run is left to wait with', { run: MAX_RUNS_PER_ORDER }, PaymentNotCaptured],
    ['the user wants other items', { modification: WISH }, OrderModified],
    [
      'the stock could be gone before the wait ends',
      { reservationExpiresAtMs: NOW_MS - 3_600_000 },
      PaymentNotCaptured,
    ],
  ])('does not wait if %s', async (_why, fields, error) => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS', fields), paymentIn('INITIATED'));
    world.foundCharge = PENDING;
    const run = { ...RUN, run: world.order.run };
    await expect(settlePayment(world.service, run)).rejects.toBeInstanceOf(error);
    expect(world.payment().status).toBe('VOIDED');
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

  // One run, one change after the other; the attempt that voided the first payment stalls before it writes the order:
  //
  //   stale attempt   voids 1 ── (stalls) ──────────────────────────────────────── writes: refused, reads again
  //   next attempt             moves on ── reserved ── payment 2 is being charged, and other items are wanted
  test('leaves the next payment alone, even if its user wants other items again', async () => {
    const world = wishing(paymentIn('VOIDED'));
    world.interfere = (call) => {
      if (call !== 'save order PENDING_RESERVING_STOCK') return;
      const next = paymentIn('INITIATED', { paymentId: 'pay_2', attempt: 2 });
      const payments = [paymentIn('VOIDED'), next] as const;
      world.put({ ...world.order, payments, writes: world.order.writes + 5 });
    };
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
    expect(world.payment('pay_2').status).toBe('INITIATED');
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
    expect(world.order.modification).toMatchObject({ ...WISH, status: 'REJECTED' });
  });

  test('asks again where the gateway does not answer: unknown is not voided', async () => {
    const world = wishing(paymentIn('PENDING'));
    world.failAt('gateway.void', new GatewayUnknown('No answer.'));
    await expect(settlePayment(world.service, RUN)).rejects.toBeInstanceOf(GatewayUnknown);
    expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
    expect(world.payment().status).toBe('PENDING');
  });
});
