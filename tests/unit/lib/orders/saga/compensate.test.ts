import { describe, expect, test } from 'vitest';
import { InventoryTimeout } from '../../../../../lib/inventory/refusals.ts';
import { currentPayment } from '../../../../../lib/orders/order-payments.ts';
import { compensate } from '../../../../../lib/orders/saga/compensate.ts';
import { GatewayUnavailable } from '../../../../../lib/payments/refusals.ts';
import { NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const FAILED = paymentIn('FAILED', { voidOwed: { dueAtMs: NOW_MS } });
const LATE = paymentIn('CAPTURED', { refundOwed: { reason: 'RESERVATION_GONE', dueAtMs: NOW_MS } });

describe('compensating a payment', () => {
  test('that was declined gives the stock back before the order says PAYMENT_FAILED', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('DECLINED'));
    await compensate(world.service, RUN);
    expect(world.effects).toEqual([
      'inventory.release ord_1 revision 3',
      'save order PAYMENT_FAILED',
    ]);
    expect(world.order).toMatchObject({
      status: 'PAYMENT_FAILED',
      reason: 'INSUFFICIENT_FUNDS',
    });
    expect(world.order).not.toHaveProperty('releaseOwed');
    expect(world.order).not.toHaveProperty('dueAtMs');
  });

  test('releases once, though somebody else writes the order in between', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('DECLINED'));
    world.touchBefore('save order');
    await compensate(world.service, RUN);
    expect(world.effects).toEqual([
      'inventory.release ord_1 revision 3',
      'save order PAYMENT_FAILED',
      'save order PAYMENT_FAILED',
    ]);
  });

  test('leaves an order alone that asks for other items by then', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('VOIDED'));
    const { order } = world;
    world.interfere = (call) => {
      if (call !== 'save order PAYMENT_FAILED') return;
      const modification = { status: 'PENDING', items: [] } as const;
      world.put({ ...order, modification, version: 8, writes: 18 });
    };
    await compensate(world.service, RUN);
    expect(world.order).toMatchObject({ status: 'PAYMENT_IN_PROGRESS', version: 8 });
  });

  test('that was given up is voided after that', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), FAILED);
    await compensate(world.service, RUN);
    expect(world.effects).toEqual([
      'inventory.release ord_1 revision 3',
      'save order PAYMENT_FAILED',
      'gateway.void pay_1',
      'save payment VOIDED',
    ]);
  });

  test('whose stock was gone is refunded after that', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), LATE);
    await compensate(world.service, RUN);
    expect(world.effects).toEqual([
      'inventory.release ord_1 revision 3',
      'save order PAYMENT_FAILED',
      'gateway.refund pay_1',
      'save payment REFUNDED',
    ]);
    expect(world.order).toMatchObject({ reason: 'RESERVATION_GONE' });
  });

  test.each([FAILED, LATE])('twice does everything once', async (payment) => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), payment);
    await compensate(world.service, RUN);
    const [order, settled, effects] = [world.order, world.payment(), [...world.effects]];
    await compensate(world.service, RUN);
    await compensate(world.service, { orderId: 'ord_1', paymentId: 'pay_1' });
    expect(world.order).toEqual(order);
    expect(world.payment()).toEqual(settled);
    expect(world.effects).toEqual(effects);
  });

  test.each([
    [FAILED, 'VOIDED'],
    [LATE, 'REFUNDED'],
  ])('while Inventory does not answer keeps no money back', async (payment, settled) => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), payment);
    world.failAt('inventory.release', new InventoryTimeout('No answer.'));
    await expect(compensate(world.service, RUN)).rejects.toBeInstanceOf(InventoryTimeout);
    expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
    expect(world.payment().status).toBe(settled);
    world.interfere = () => undefined;
    await compensate(world.service, RUN);
    expect(world.order.status).toBe('PAYMENT_FAILED');
    expect(world.effects.filter((call) => call.startsWith('gateway.'))).toHaveLength(1);
  });

  test('that was voided for other items leaves the order to its saga', async () => {
    const modification = { status: 'PENDING', items: [] } as const;
    const world = new World(orderIn('PAYMENT_IN_PROGRESS', { modification }), paymentIn('VOIDED'));
    await compensate(world.service, RUN);
    expect(world.effects).toEqual([]);
  });

  test('refuses a modification that waited for it, in the same write', async () => {
    const modification = { status: 'PENDING', items: [] } as const;
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS', { modification }),
      paymentIn('DECLINED'),
    );
    await compensate(world.service, RUN);
    expect(world.order).toMatchObject({
      status: 'PAYMENT_FAILED',
      modification: { status: 'REJECTED', code: 'INSUFFICIENT_FUNDS' },
    });
  });

  test.each([
    ['void', FAILED],
    ['refund', LATE],
  ])('while the gateway is down keeps the %s owed on the payment', async (call, payment) => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), payment);
    world.failAt(`gateway.${call}`, new GatewayUnavailable('503'));
    await expect(compensate(world.service, RUN)).rejects.toBeInstanceOf(GatewayUnavailable);
    expect(world.order.status).toBe('PAYMENT_FAILED');
    expect(world.payment()).toEqual(payment);
    world.interfere = () => undefined;
    await compensate(world.service, RUN);
    expect(world.payment().status).toBe(call === 'void' ? 'VOIDED' : 'REFUNDED');
  });

  test.each(['INITIATED', 'PENDING', 'CAPTURED'] as const)(
    'that is %s and may come about undoes nothing',
    async (status) => {
      const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn(status));
      await compensate(world.service, RUN);
      expect(world.effects).toEqual([]);
    },
  );

  test.each([
    'CREATED',
    'PENDING_RESERVING_STOCK',
    'PENDING_PAYMENT',
    'PAYMENT_DONE',
    'INVALID',
  ] as const)('of an order that is %s undoes nothing', async (status) => {
    const world = new World(orderIn(status), paymentIn('CAPTURED'));
    await compensate(world.service, RUN);
    expect(world.effects).toEqual([]);
  });

  test('that is not the current one leaves the order alone', async () => {
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS'),
      { ...LATE, attempt: 1 },
      paymentIn('INITIATED', { paymentId: 'pay_2', attempt: 2 }),
    );
    await compensate(world.service, { orderId: 'ord_1', paymentId: 'pay_1' });
    expect(world.effects).toEqual(['gateway.refund pay_1', 'save payment REFUNDED']);
    expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
    expect(currentPayment(world.order)).toMatchObject({ paymentId: 'pay_2', status: 'INITIATED' });
  });

  test('of an order that is not there does nothing', async () => {
    const world = new World(orderIn('CREATED'));
    await compensate(world.service, { orderId: 'ord_9' });
    expect(world.effects).toEqual([]);
  });
});

describe('giving back what a resting order still owes', () => {
  const owing = { releaseOwed: { revision: 2 }, dueAtMs: NOW_MS };

  test.each(['ORDER_FAILED', 'PAYMENT_FAILED', 'ORDER_CANCELLED', 'INVALID'] as const)(
    '%s: releases the owed revision and owes nothing any more',
    async (status) => {
      const world = new World(orderIn(status, owing), paymentIn('DECLINED'));
      await compensate(world.service, RUN);
      expect(world.effects).toEqual(['inventory.release ord_1 revision 2', `save order ${status}`]);
      expect(world.order).not.toHaveProperty('releaseOwed');
      expect(world.order).not.toHaveProperty('dueAtMs');
      expect(world.order).toMatchObject({ version: 7, writes: 18 });
      await compensate(world.service, RUN);
      expect(world.effects).toHaveLength(2);
    },
  );

  test('leaves an order alone that was retried meanwhile', async () => {
    const world = new World(orderIn('ORDER_FAILED', owing));
    const retried = orderIn('CREATED', { version: 8, writes: 18, revision: 4, run: 3 });
    world.interfere = (call) => {
      if (call.startsWith('inventory.release')) world.put(retried);
    };
    await compensate(world.service, RUN);
    expect(world.order).toEqual(retried);
  });

  test('does not take what a later run owes for given back', async () => {
    const world = new World(orderIn('ORDER_FAILED', owing));
    const later = orderIn('ORDER_FAILED', {
      version: 12,
      writes: 22,
      revision: 5,
      run: 3,
      releaseOwed: { revision: 5 },
      dueAtMs: NOW_MS,
    });
    world.interfere = (call) => {
      if (call.startsWith('inventory.release')) world.put(later);
    };
    await compensate(world.service, RUN);
    expect(world.order).toEqual(later);
  });

  test.each([
    [FAILED, 'VOIDED'],
    [LATE, 'REFUNDED'],
  ])(
    'keeps no money back where Inventory does not answer, and says so',
    async (payment, settled) => {
      const world = new World(orderIn('PAYMENT_FAILED', owing), payment);
      world.failAt('inventory.release', new InventoryTimeout('No answer.'));
      await expect(compensate(world.service, RUN)).rejects.toBeInstanceOf(InventoryTimeout);
      expect(world.payment().status).toBe(settled);
      expect(world.order).toMatchObject(owing);
    },
  );

  test('stays owed where Inventory does not answer', async () => {
    const world = new World(orderIn('ORDER_FAILED', owing));
    world.failAt('inventory.release', new InventoryTimeout('No answer.'));
    await expect(compensate(world.service, RUN)).rejects.toBeInstanceOf(InventoryTimeout);
    expect(world.order).toEqual(orderIn('ORDER_FAILED', owing));
  });
});
