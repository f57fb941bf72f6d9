import { describe, expect, test } from 'vitest';
import { ReservationGone } from '../../../../../lib/inventory/refusals.ts';
import type { Order } from '../../../../../lib/orders/order.ts';
import { dispatchDueWork } from '../../../../../lib/orders/recovery/dispatch-due-work.ts';
import type { Payment } from '../../../../../lib/payments/payment.ts';
import { paymentDueMs, withDebtDueAt } from '../../../../../lib/payments/payment.ts';
import { GatewayUnavailable } from '../../../../../lib/payments/refusals.ts';
import { ConcurrentUpdate, InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import { NOW_MS, orderIn, paymentIn, World } from '../fakes.ts';

const OWED = [
  'CREATED',
  'PENDING_RESERVING_STOCK',
  'PENDING_PAYMENT',
  'PAYMENT_IN_PROGRESS',
] as const;
const RESTING = ['PAYMENT_FAILED', 'ORDER_FAILED', 'ORDER_CANCELLED', 'INVALID'] as const;

/** One complete round; returns the number of items moved on. */
async function dispatch(world: World): Promise<number> {
  return (await dispatchDueWork(world.service, () => true)).handled;
}

function dueAtMs(world: World): number {
  return 'dueAtMs' in world.order ? (world.order.dueAtMs ?? 0) : 0;
}

test('a round tells for how long the oldest work had been due', async () => {
  const world = new World(orderIn('CREATED', { dueAtMs: NOW_MS - 90_000 }));
  expect(await dispatchDueWork(world.service, () => true)).toMatchObject({
    handled: 1,
    oldestOverdueMs: 90_000,
  });
});

describe('an order whose saga runs', () => {
  test.each(OWED)('%s: is postponed, never cleared, and not run again', async (status) => {
    const world = new World(orderIn(status), paymentIn('INITIATED'));
    expect(await dispatch(world)).toBe(1);
    expect(world.effects[0]).toBe('saga.start ord_1-2');
    expect(world.effects.at(-1)).toBe(`save order ${status}`);
    expect(world.order).toMatchObject({ status, run: 2, revision: 3, version: 7, writes: 18 });
    expect(world.order.history).toHaveLength(1);
    expect(dueAtMs(world)).toBeGreaterThan(NOW_MS);
  });

  test.each([
    ['for longer than a run can take is replaced', 0, 'saga.start ord_1-3'],
    ['for as long as a run can take is left to it', 1, 'save order PENDING_RESERVING_STOCK'],
  ])('and has reserved %s', async (_what, late, last) => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK'));
    const longAgoMs = NOW_MS - world.service.deadlines.reservingMs;
    const [first] = world.order.history;
    world.put({
      ...world.order,
      history: [{ ...first!, at: new Date(longAgoMs).toISOString() }],
    });
    world.execution = { startedAtMs: longAgoMs + late };
    expect(await dispatch(world)).toBe(1);
    expect(world.effects[0]).toBe('saga.start ord_1-2');
    expect(world.effects.at(-1)).toBe(last);
    expect(dueAtMs(world)).toBeGreaterThan(NOW_MS);
  });

  test('is woken where its user has decided and nobody told it', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('INITIATED'));
    await dispatch(world);
    expect(world.effects).toEqual([
      'saga.start ord_1-2',
      'saga.signal user-wait',
      'save order PAYMENT_IN_PROGRESS',
    ]);
  });

  test('is woken where the time of its user is up', async () => {
    const world = new World(
      orderIn('PENDING_PAYMENT', { reservationExpiresAtMs: NOW_MS - 30_000 }),
    );
    await dispatch(world);
    expect(world.effects).toContain('saga.signal user-wait');
    expect(dueAtMs(world)).toBe(NOW_MS + 30_000);
  });

  test('while its user still has time is due when that is up, with grace', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    await dispatch(world);
    expect(dueAtMs(world)).toBe(NOW_MS + 600_000 + 30_000);
  });

  test.each([
    ['overdue', { acknowledgeByMs: NOW_MS }, true],
    ['not due yet', { acknowledgeByMs: NOW_MS + 1 }, false],
  ])('is woken from an acknowledgement that is %s: %s', async (_what, changes, isWoken) => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('PENDING', changes));
    await dispatch(world);
    expect(world.effects.includes('saga.signal user-wait')).toBe(isWoken);
  });

  test('is woken from an acknowledgement where the user wants other items', async () => {
    const modification = { status: 'PENDING', items: [] } as const;
    const world = new World(orderIn('PAYMENT_IN_PROGRESS', { modification }), paymentIn('PENDING'));
    await dispatch(world);
    expect(world.effects).toContain('saga.signal user-wait');
  });
});

describe('an order whose saga has ended', () => {
  test.each(OWED)('%s: gets the next run, written before it is started', async (status) => {
    const world = new World(orderIn(status), paymentIn('INITIATED'));
    world.execution = 'CLOSED';
    expect(await dispatch(world)).toBe(1);
    expect(world.effects).toEqual([
      'saga.start ord_1-2',
      `save order ${status}`,
      'saga.start ord_1-3',
    ]);
    expect(world.order).toMatchObject({ status, run: 3, revision: 3, version: 7, writes: 18 });
    expect(dueAtMs(world)).toBeGreaterThan(NOW_MS);
  });

  test('gets an outage budget of its own: the time between two runs says nothing of Inventory', async () => {
    const outage = { sinceMs: NOW_MS - 600_000, notBeforeMs: NOW_MS - 600_000 };
    const world = new World(orderIn('PENDING_RESERVING_STOCK', { outage }));
    world.execution = 'CLOSED';
    await dispatch(world);
    expect(world.order).toMatchObject({ run: 3 });
    expect(world.order).not.toHaveProperty('outage');
  });

  test('is started by one of many dispatchers only', async () => {
    const world = new World(orderIn('CREATED'));
    world.execution = 'CLOSED';
    world.interfere = (call) => {
      if (call === 'save order CREATED') world.put(orderIn('CREATED', { run: 3, writes: 18 }));
    };
    expect(await dispatch(world)).toBe(0);
    expect(world.effects).toEqual(['saga.start ord_1-2', 'save order CREATED']);
    expect(world.order).toMatchObject({ run: 3, writes: 18 });
  });

  const wornOut = (order: Order, ...payments: readonly Payment[]) => {
    const world = new World(order, ...payments);
    world.execution = 'CLOSED';
    return world;
  };

  test.each([
    ['CREATED', wornOut(orderIn('CREATED', { run: 50 })), 'ORDER_FAILED'],
    [
      'PENDING_RESERVING_STOCK',
      wornOut(orderIn('PENDING_RESERVING_STOCK', { run: 51 })),
      'ORDER_FAILED',
    ],
    [
      'PENDING_PAYMENT, out of time',
      wornOut(orderIn('PENDING_PAYMENT', { run: 50, reservationExpiresAtMs: NOW_MS })),
      'ORDER_FAILED',
    ],
    [
      'PENDING_PAYMENT, in time',
      wornOut(orderIn('PENDING_PAYMENT', { run: 50 })),
      'PENDING_PAYMENT',
    ],
    [
      'PAYMENT_IN_PROGRESS, captured',
      wornOut(orderIn('PAYMENT_IN_PROGRESS', { run: 50 }), paymentIn('CAPTURED')),
      'PAYMENT_DONE',
    ],
    [
      'PAYMENT_IN_PROGRESS, declined',
      wornOut(orderIn('PAYMENT_IN_PROGRESS', { run: 50 }), paymentIn('DECLINED')),
      'PAYMENT_FAILED',
    ],
    [
      'PAYMENT_IN_PROGRESS, unknown to the gateway',
      wornOut(orderIn('PAYMENT_IN_PROGRESS', { run: 50 }), paymentIn('INITIATED')),
      'PAYMENT_FAILED',
    ],
  ])(
    'at run 50 gets no other, leaves a dead letter and comes to rest: %s',
    async (_what, world, rest) => {
      const { run } = world.order;
      await dispatch(world);
      expect(world.effects.filter((call) => call.startsWith('saga.start'))).toEqual([
        `saga.start ord_1-${run}`,
      ]);
      expect(world.effects.some((call) => call.startsWith('gateway.charge'))).toBe(false);
      expect(world.deadLetters[0]).toMatchObject({ orderId: 'ord_1', run, error: 'RunsExhausted' });
      expect(world.order).toMatchObject({ status: rest, run });
    },
  );

  test.each([
    ['CREATED', orderIn('CREATED', { run: 50 })],
    ['PENDING_RESERVING_STOCK', orderIn('PENDING_RESERVING_STOCK', { run: 50 })],
    ['PENDING_PAYMENT', orderIn('PENDING_PAYMENT', { run: 50, reservationExpiresAtMs: NOW_MS })],
  ])('at run 50, %s: its stock is given back at once', async (_what, order) => {
    const world = wornOut(order);
    await dispatch(world);
    expect(world.order.status).toBe('ORDER_FAILED');
    expect(world.effects.slice(-2)).toEqual([
      'inventory.release ord_1 revision 3',
      'save order ORDER_FAILED',
    ]);
    expect(world.order).not.toHaveProperty('releaseOwed');
    expect(world.order).not.toHaveProperty('dueAtMs');
  });

  const coffee = [{ productId: 'coffee', quantity: 3 }];

  test.each([
    { status: 'PENDING', items: coffee },
    { status: 'REJECTED', items: coffee, code: 'OUT_OF_STOCK' },
  ] as const)(
    'at run 50, a modification that is $status fails its order, whatever Inventory holds',
    async (modification) => {
      const world = wornOut(
        orderIn('PENDING_RESERVING_STOCK', {
          run: 50,
          purpose: 'MODIFICATION',
          former: { revision: 2, expiresAtMs: NOW_MS + 60_000 },
          modification,
        }),
      );
      await dispatch(world);
      expect(world.order.status).toBe('ORDER_FAILED');
      expect(world.effects).toContain('inventory.release ord_1 revision 3');
      expect(world.order.modification?.status).toBe('REJECTED');
    },
  );

  test('at run 50, while its user may still pay, is left alone for an hour', async () => {
    const order = orderIn('PENDING_PAYMENT', { run: 50 });
    const world = wornOut(order);
    await dispatch(world);
    expect(world.order).toEqual({ ...order, writes: 18, dueAtMs: NOW_MS + 3_600_000 });
    expect(world.effects).toEqual([
      'saga.start ord_1-50',
      'dead letter dispatch-due-work RunsExhausted',
      'save order PENDING_PAYMENT',
    ]);
  });

  test('at run 50, paid: is confirmed, no gateway asked', async () => {
    const world = wornOut(orderIn('PAYMENT_IN_PROGRESS', { run: 50 }), paymentIn('CAPTURED'));
    await dispatch(world);
    expect(world.effects.slice(3)).toEqual([
      'inventory.confirm pay_1 for ord_1 revision 3',
      'save order PAYMENT_DONE',
    ]);
  });

  test.each([
    [undefined, ['gateway.find pay_1', 'gateway.void pay_1', 'save payment VOIDED']],
    [{ status: 'DECLINED', code: 'NO' } as const, ['gateway.find pay_1', 'save payment DECLINED']],
  ])('at run 50, open, known to the gateway as %j: is undone', async (found, settled) => {
    const world = wornOut(orderIn('PAYMENT_IN_PROGRESS', { run: 50 }), paymentIn('INITIATED'));
    world.foundCharge = found;
    await dispatch(world);
    expect(world.effects.slice(3)).toEqual([
      ...settled,
      'inventory.release ord_1 revision 3',
      'save order PAYMENT_FAILED',
    ]);
  });

  test('at run 50, captured unheard: is confirmed', async () => {
    const world = wornOut(orderIn('PAYMENT_IN_PROGRESS', { run: 50 }), paymentIn('INITIATED'));
    world.foundCharge = { status: 'CAPTURED' };
    await dispatch(world);
    expect(world.order.status).toBe('PAYMENT_DONE');
    expect(world.payment().status).toBe('CAPTURED');
  });

  test('at run 50, paid for stock that is gone: is refunded', async () => {
    const world = wornOut(orderIn('PAYMENT_IN_PROGRESS', { run: 50 }), paymentIn('CAPTURED'));
    world.failAt('inventory.confirm', new ReservationGone('Gone.'));
    await dispatch(world);
    expect(world.order.status).toBe('PAYMENT_FAILED');
    expect(world.payment().status).toBe('REFUNDED');
  });

  test('at run 50 stays due where it cannot be brought to rest', async () => {
    const world = wornOut(orderIn('PAYMENT_IN_PROGRESS', { run: 50 }), paymentIn('INITIATED'));
    world.failAt('gateway.find', new GatewayUnavailable('503'));
    await dispatch(world);
    expect(world.order).toMatchObject({ status: 'PAYMENT_IN_PROGRESS', run: 50 });
    expect(dueAtMs(world)).toBeGreaterThan(NOW_MS);
    expect(world.payment()).toEqual(paymentIn('INITIATED'));
  });

  test('at run 49 gets its last one', async () => {
    const world = new World(orderIn('CREATED', { run: 49 }));
    world.execution = 'CLOSED';
    await dispatch(world);
    expect(world.order.run).toBe(50);
    expect(world.deadLetters).toEqual([]);
  });
});

describe('what is not to be moved on', () => {
  test.each([...OWED, ...RESTING])('%s that is not due yet is left alone', async (status) => {
    const world = new World(orderIn(status, { dueAtMs: NOW_MS + 1 }), paymentIn('INITIATED'));
    expect(await dispatch(world)).toBe(0);
    // The index key may be coarse: found too early, it is put right, which is no change of the order.
    expect(world.effects).toEqual(['correct due key ord_1']);
  });

  test.each(['PAYMENT_DONE', ...RESTING] as const)(
    '%s that owes nothing is left alone',
    async (status) => {
      const world = new World(orderIn(status), paymentIn('CAPTURED'));
      expect(await dispatch(world)).toBe(0);
      expect(world.effects).toEqual([]);
    },
  );

  test('an order that moved on after the index named it is left alone', async () => {
    const world = new World(orderIn('CREATED'));
    world.interfere = (call) => {
      if (call === 'find order ord_1')
        world.put(orderIn('PAYMENT_DONE', { version: 9, writes: 19 }));
    };
    expect(await dispatch(world)).toBe(0);
    expect(world.effects).toEqual([]);
  });
});

describe('what is still to be given back', () => {
  test.each(RESTING)(
    '%s: the compensation queue is told again, and later again',
    async (status) => {
      const owing = { dueAtMs: NOW_MS, releaseOwed: { revision: 3 } };
      const world = new World(orderIn(status, owing), paymentIn('DECLINED'));
      expect(await dispatch(world)).toBe(1);
      expect(world.effects).toEqual(['request compensation ord_1', `save order ${status}`]);
      expect(world.order).toMatchObject({ status, releaseOwed: { revision: 3 } });
      expect(dueAtMs(world)).toBe(NOW_MS + world.deadlines.obligationMs);
    },
  );

  test.each([
    paymentIn('FAILED', { voidOwed: { dueAtMs: NOW_MS } }),
    paymentIn('CAPTURED', { refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS } }),
  ])('a payment that owes something is named to the queue', async (payment) => {
    const world = new World(
      orderIn('PAYMENT_DONE'),
      payment,
      paymentIn('CAPTURED', { paymentId: 'pay_2' }),
    );
    expect(await dispatch(world)).toBe(1);
    expect(world.compensations).toEqual([
      { orderId: 'ord_1', run: 2, correlationId: 'corr-1', paymentId: 'pay_1' },
    ]);
    expect(paymentDueMs(world.payment())).toBe(NOW_MS + world.deadlines.obligationMs);
    expect(world.payment()).toEqual(withDebtDueAt(payment, NOW_MS + world.deadlines.obligationMs));
    expect(world.order).toMatchObject({ version: 7, writes: 18 });
  });

  test('an earlier payment that owes something does not keep the order from moving on, nor the reverse', async () => {
    const owing = paymentIn('FAILED', { voidOwed: { dueAtMs: NOW_MS } });
    const paying = paymentIn('INITIATED', { paymentId: 'pay_2' });
    const both = new World(orderIn('PAYMENT_IN_PROGRESS'), owing, paying);
    expect(await dispatch(both)).toBe(1);
    expect(both.effects).toEqual([
      'request compensation ord_1',
      'save payment FAILED',
      'saga.start ord_1-2',
      'saga.signal user-wait',
      'save order PAYMENT_IN_PROGRESS',
    ]);
    const queueless = new World(orderIn('PAYMENT_IN_PROGRESS'), owing, paying);
    queueless.failAt('request compensation', new InfrastructureUnavailable('No queue.'));
    expect(await dispatch(queueless)).toBe(0);
    expect(dueAtMs(queueless)).toBe(NOW_MS + queueless.deadlines.payingMs);
    expect(queueless.payment()).toEqual(owing);
    const sagaless = new World(orderIn('PAYMENT_IN_PROGRESS'), owing, paying);
    sagaless.failAt('saga.start', new InfrastructureUnavailable('No answer.'));
    expect(await dispatch(sagaless)).toBe(0);
    expect(sagaless.compensations).toHaveLength(1);
    expect(dueAtMs(sagaless)).toBe(NOW_MS);
  });

  test('stays due where the queue does not take it', async () => {
    const owing = orderIn('ORDER_FAILED', { dueAtMs: NOW_MS, releaseOwed: { revision: 3 } });
    const world = new World(owing);
    world.failAt('request compensation', new InfrastructureUnavailable('No queue.'));
    expect(await dispatch(world)).toBe(0);
    expect(world.order).toEqual(owing);
  });
});

describe('a round', () => {
  test('goes on after one that fails', async () => {
    const world = new World(orderIn('CREATED'));
    world.put(orderIn('CREATED', { orderId: 'ord_2' }));
    world.failAt('saga.start ord_1', new InfrastructureUnavailable('No answer.'));
    expect(await dispatch(world)).toBe(1);
    expect(world.order).toEqual(orderIn('CREATED'));
    expect(world.stored.get('ord_2')?.writes).toBe(18);
  });

  test('leaves due what it could not start', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    world.failAt('saga.signal', new InfrastructureUnavailable('No answer.'));
    expect(await dispatch(world)).toBe(0);
    expect(world.order).toEqual(orderIn('PENDING_PAYMENT'));
  });

  test('is content where somebody else was faster', async () => {
    const world = new World(orderIn('CREATED'));
    world.failAt('save order', new ConcurrentUpdate('Taken.'));
    expect(await dispatch(world)).toBe(0);
  });
});
