import { describe, expect, test } from 'vitest';
import {
  InventoryMisunderstood,
  InventoryTimeout,
  ReservationGone,
} from '../../../../../lib/inventory/refusals.ts';
import { confirmOrder } from '../../../../../lib/orders/saga/confirm-order.ts';
import {
  OrderSettled,
  PaymentNotCaptured,
  RunSuperseded,
} from '../../../../../lib/orders/saga/signals.ts';
import { NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const paid = () => new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('CAPTURED'));

describe('confirming', () => {
  test('sells the stock first, for the revision of the payment, then says PAYMENT_DONE', async () => {
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS', { revision: 4 }),
      paymentIn('CAPTURED', { revision: 3 }),
    );
    await confirmOrder(world.service, RUN);
    expect(world.effects).toEqual([
      'inventory.confirm pay_1 for ord_1 revision 3',
      'save order PAYMENT_DONE',
    ]);
    expect(world.order).not.toHaveProperty('dueAtMs');
  });

  test('sells once, though somebody else writes the order in between', async () => {
    const world = paid();
    world.touchBefore('save order');
    await confirmOrder(world.service, RUN);
    expect(world.effects).toEqual([
      'inventory.confirm pay_1 for ord_1 revision 3',
      'save order PAYMENT_DONE',
      'save order PAYMENT_DONE',
    ]);
  });

  test('never says PAYMENT_DONE where the money is to go back by then', async () => {
    const world = paid();
    world.interfere = (call) => {
      if (call !== 'save order PAYMENT_DONE') return;
      world.put(paymentIn('CAPTURED', { refundOwed: { reason: 'TEST', dueAtMs: NOW_MS } }));
    };
    await expect(confirmOrder(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
  });

  test('again does nothing', async () => {
    const world = paid();
    await confirmOrder(world.service, RUN);
    await confirmOrder(world.service, RUN);
    expect(world.effects).toHaveLength(2);
  });

  test('where the stock is definitely gone owes the refund at once', async () => {
    const world = paid();
    world.failAt('inventory.confirm', new ReservationGone('Gone.'));
    await expect(confirmOrder(world.service, RUN)).rejects.toBeInstanceOf(ReservationGone);
    expect(world.payment()).toMatchObject({
      status: 'CAPTURED',
      refundOwed: { reason: 'RESERVATION_GONE', dueAtMs: NOW_MS + 30_000 },
    });
    expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
  });

  test('does not take silence for gone', async () => {
    const world = paid();
    world.failAt('inventory.confirm', new InventoryTimeout('No answer.'));
    await expect(confirmOrder(world.service, RUN)).rejects.toBeInstanceOf(InventoryTimeout);
    expect(world.payment()).toEqual(paymentIn('CAPTURED'));
    expect(world.order).toMatchObject({ status: 'PAYMENT_IN_PROGRESS', writes: 17 });
  });

  test.each([{ status: 'HELD' as const }, { paymentId: 'pay_9' }, { paymentId: null }])(
    'does not take the answer %j for sold to this payment',
    async (answer) => {
      const world = paid();
      world.confirmAnswer = answer;
      await expect(confirmOrder(world.service, RUN)).rejects.toBeInstanceOf(InventoryMisunderstood);
      expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
      expect(world.payment()).toEqual(paymentIn('CAPTURED'));
    },
  );

  test('refuses the modification that came too late, in the same write', async () => {
    const modification = { status: 'PENDING', items: [] } as const;
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS', { modification }),
      paymentIn('CAPTURED'),
    );
    await confirmOrder(world.service, RUN);
    expect(world.order.modification).toEqual({
      status: 'REJECTED',
      items: [],
      code: 'PAYMENT_ALREADY_CAPTURED',
    });
  });

  test.each([
    ['INITIATED', paymentIn('INITIATED')],
    ['PENDING', paymentIn('PENDING')],
    ['DECLINED', paymentIn('DECLINED')],
    ['VOIDED', paymentIn('VOIDED')],
    ['REFUNDED', paymentIn('REFUNDED')],
    ['FAILED', paymentIn('FAILED')],
    [
      'to be refunded',
      paymentIn('CAPTURED', { refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS } }),
    ],
  ])('never sells for a payment that is %s', async (_what, payment) => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), payment);
    await expect(confirmOrder(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
    expect(world.effects).toEqual([]);
  });

  test('looks at the current payment of the order only', async () => {
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS'),
      paymentIn('CAPTURED'),
      paymentIn('INITIATED', { paymentId: 'pay_2' }),
    );
    await expect(confirmOrder(world.service, RUN)).rejects.toBeInstanceOf(PaymentNotCaptured);
  });

  test.each(['PAYMENT_FAILED', 'ORDER_CANCELLED', 'PENDING_PAYMENT'] as const)(
    'of an order that is %s does nothing',
    async (status) => {
      const world = new World(orderIn(status), paymentIn('CAPTURED'));
      await expect(confirmOrder(world.service, RUN)).rejects.toBeInstanceOf(OrderSettled);
      expect(world.effects).toEqual([]);
    },
  );

  test('in a run that was superseded does nothing', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS', { run: 3 }), paymentIn('CAPTURED'));
    await expect(confirmOrder(world.service, RUN)).rejects.toBeInstanceOf(RunSuperseded);
    expect(world.effects).toEqual([]);
  });
});
