import { describe, expect, test } from 'vitest';
import { MixedCurrencies } from '../../../../../lib/inventory/refusals.ts';
import { awaitPayment } from '../../../../../lib/orders/saga/await-payment.ts';
import { OrderModified, RunSuperseded } from '../../../../../lib/orders/saga/signals.ts';
import { InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import { EUR_26, NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const RESERVED_UNTIL_MS = NOW_MS + 900_000;
const RESERVATION = {
  revision: 3,
  expiresAtMs: RESERVED_UNTIL_MS,
  lines: [{ productId: 'mug', unitPrice: { amount: 1500, currency: 'EUR' } }],
};

const wait = (world: World, reservation: typeof RESERVATION | null = RESERVATION) =>
  awaitPayment(world.service, { ...RUN, reservation, waitToken: 'new-wait' });

describe('awaiting the payment', () => {
  test('writes the token with the new status, and signals nothing: the user decides', async () => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK'));
    await wait(world);
    expect(world.effects).toEqual(['save order PENDING_PAYMENT']);
    expect(world.order).toMatchObject({
      status: 'PENDING_PAYMENT',
      waitToken: 'new-wait',
      heldRevision: 3,
      reservationExpiresAtMs: RESERVED_UNTIL_MS,
      dueAtMs: RESERVED_UNTIL_MS + 30_000,
      total: EUR_26,
    });
    expect(world.order).not.toHaveProperty('purpose');
  });

  test('keeps a price that the user has seen and freezes one that is new', async () => {
    const world = new World(
      orderIn('PENDING_RESERVING_STOCK', {
        items: [
          { productId: 'coffee', quantity: 1, unitPrice: { amount: 100, currency: 'EUR' } },
          { productId: 'mug', quantity: 2 },
        ],
      }),
    );
    await wait(world, {
      ...RESERVATION,
      lines: [
        ...RESERVATION.lines,
        { productId: 'coffee', unitPrice: { amount: 999, currency: 'EUR' } },
      ],
    });
    expect(world.order.total).toEqual({ amount: 3100, currency: 'EUR' });
    expect(world.order.items.map(({ unitPrice }) => unitPrice?.amount)).toEqual([100, 1500]);
  });

  test('refuses prices in two currencies, and leaves the order to be rejected', async () => {
    const order = orderIn('PENDING_RESERVING_STOCK', {
      items: [
        { productId: 'mug', quantity: 1 },
        { productId: 'coffee', quantity: 1 },
      ],
    });
    const world = new World(order);
    const lines = [
      ...RESERVATION.lines,
      { productId: 'coffee', unitPrice: { amount: 999, currency: 'USD' } },
    ];
    await expect(wait(world, { ...RESERVATION, lines })).rejects.toBeInstanceOf(MixedCurrencies);
    expect(world.effects).toEqual([]);
    expect(world.order).toEqual(order);
  });

  test('of another revision goes back to reserving', async () => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK', { revision: 4 }));
    await expect(wait(world)).rejects.toBeInstanceOf(OrderModified);
    expect(world.effects).toEqual([]);
  });

  test('again, after a crash of the run before, replaces its token', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { waitToken: 'old-wait' }));
    await wait(world, null);
    expect(world.order).toMatchObject({ waitToken: 'new-wait', version: 8 });
    expect(world.order.history).toHaveLength(1);
  });

  test('late, in the place of the wait that counts, has that one come back', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { waitToken: 'the-wait-that-counts' }));
    await wait(world, null);
    expect(world.effects).toEqual([
      'save order PENDING_PAYMENT',
      'saga.signal the-wait-that-counts',
    ]);
  });

  test('delivered twice wakes nobody', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { waitToken: 'new-wait' }));
    await wait(world, null);
    expect(world.effects).toEqual(['save order PENDING_PAYMENT']);
  });

  test('completes itself where the time was up before its token was stored', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { reservationExpiresAtMs: NOW_MS }));
    await wait(world, null);
    expect(world.effects).toEqual([
      'save order PENDING_PAYMENT',
      'saga.signal user-wait',
      'saga.signal new-wait',
    ]);
  });

  test.each([
    'CREATED',
    'PAYMENT_IN_PROGRESS',
    'PAYMENT_DONE',
    'PAYMENT_FAILED',
    'ORDER_FAILED',
    'INVALID',
    'ORDER_CANCELLED',
  ] as const)('completes itself where the order is %s already', async (status) => {
    const world = new World(orderIn(status));
    await wait(world, null);
    expect(world.effects).toEqual(['saga.signal new-wait']);
    expect(world.order).toEqual(orderIn(status));
  });

  test('stores its token before it decides: whoever pays in between is seen', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    world.interfere = (call) => {
      if (call !== 'save order PENDING_PAYMENT') return;
      world.interfere = () => undefined;
      // The user pays at this moment and signals the old token, which nobody waits for.
      world.put(orderIn('PAYMENT_IN_PROGRESS', { version: 8 }));
    };
    await wait(world, null);
    expect(world.effects).toEqual(['save order PENDING_PAYMENT', 'saga.signal new-wait']);
    expect(world.order.status).toBe('PAYMENT_IN_PROGRESS');
  });

  test('sees a cancellation that comes in just before its move', async () => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK'));
    world.interfere = (call) => {
      if (call !== 'save order PENDING_PAYMENT') return;
      world.interfere = () => undefined;
      world.put(orderIn('ORDER_CANCELLED', { version: 8, releaseOwed: { revision: 3 } }));
    };
    await wait(world);
    expect(world.effects).toEqual(['save order PENDING_PAYMENT', 'saga.signal new-wait']);
    expect(world.order.status).toBe('ORDER_CANCELLED');
  });

  test('fails, to be repeated, where its own completion cannot be signalled', async () => {
    const world = new World(orderIn('ORDER_CANCELLED'));
    world.failAt('saga.signal', new InfrastructureUnavailable('No answer.'));
    await expect(wait(world, null)).rejects.toBeInstanceOf(InfrastructureUnavailable);
  });

  test('in a run that was superseded does nothing', async () => {
    const world = new World(orderIn('PENDING_PAYMENT', { run: 3 }));
    await expect(wait(world)).rejects.toBeInstanceOf(RunSuperseded);
    expect(world.effects).toEqual([]);
  });

  test('of a retried payment moves straight to charging and completes itself', async () => {
    const world = new World(
      orderIn('PENDING_RESERVING_STOCK', {
        purpose: 'PAYMENT_RETRY',
        paymentId: 'pay_1',
        total: EUR_26,
      }),
      paymentIn('INITIATED'),
    );
    await wait(world);
    expect(world.effects).toEqual(['save order PAYMENT_IN_PROGRESS', 'saga.signal new-wait']);
    expect(world.order).toMatchObject({
      status: 'PAYMENT_IN_PROGRESS',
      paymentId: 'pay_1',
      heldRevision: 3,
      total: EUR_26,
      // A run that is lost now is found soon, while the stock is held.
      dueAtMs: NOW_MS + 30_000,
    });
  });
});

const THREE_MUGS = [{ productId: 'mug', quantity: 3 }];

describe('awaiting the payment of a modified order', () => {
  const modified = (status: 'PENDING' | 'REJECTED', expiresAtMs = NOW_MS + 500_000) =>
    new World(
      orderIn('PENDING_RESERVING_STOCK', {
        purpose: 'MODIFICATION',
        former: { revision: 2, expiresAtMs },
        total: EUR_26,
        modification:
          status === 'PENDING'
            ? { status, items: THREE_MUGS }
            : { status, items: THREE_MUGS, code: 'OUT_OF_STOCK' },
      }),
    );

  test('applies the new items at the old price and never extends the time', async () => {
    const world = modified('PENDING');
    await wait(world);
    expect(world.order).toMatchObject({
      status: 'PENDING_PAYMENT',
      heldRevision: 3,
      reservationExpiresAtMs: NOW_MS + 500_000,
      total: { amount: 3897, currency: 'EUR' },
      modification: { status: 'APPLIED' },
      items: [{ productId: 'mug', quantity: 3, unitPrice: { amount: 1299 } }],
    });
  });

  test('takes the earlier end where the reservation itself ends before the promise', async () => {
    const world = modified('PENDING', NOW_MS + 999_000_000);
    await wait(world);
    expect(world.order).toMatchObject({ reservationExpiresAtMs: RESERVED_UNTIL_MS });
  });

  test('refuses a new product priced in another currency', async () => {
    const world = modified('PENDING');
    const items = [
      { productId: 'mug', quantity: 1 },
      { productId: 'tea', quantity: 1 },
    ];
    world.put({ ...world.order, modification: { status: 'PENDING', items } });
    const lines = [{ productId: 'tea', unitPrice: { amount: 5, currency: 'USD' } }];
    await expect(wait(world, { ...RESERVATION, lines })).rejects.toBeInstanceOf(MixedCurrencies);
    expect(world.effects).toEqual([]);
  });

  test('adopts what Inventory was found to hold, whatever the step was given', async () => {
    const world = modified('PENDING');
    world.put({ ...world.order, adopted: RESERVATION } as typeof world.order);
    await wait(world, null);
    expect(world.order).toMatchObject({
      status: 'PENDING_PAYMENT',
      heldRevision: 3,
      total: { amount: 3897, currency: 'EUR' },
      modification: { status: 'APPLIED' },
    });
    expect(world.order).not.toHaveProperty('adopted');
  });

  test('that was refused goes back to the old reservation, items and total', async () => {
    const world = modified('REJECTED');
    await wait(world, null);
    expect(world.order).toMatchObject({
      status: 'PENDING_PAYMENT',
      heldRevision: 2,
      reservationExpiresAtMs: NOW_MS + 500_000,
      total: EUR_26,
      items: [{ productId: 'mug', quantity: 2 }],
      modification: { status: 'REJECTED' },
    });
  });

  test.each(['PENDING', 'REJECTED'] as const)(
    'with no time left (%s) completes itself',
    async (status) => {
      const world = modified(status, NOW_MS);
      await wait(world, status === 'PENDING' ? RESERVATION : null);
      expect(world.effects).toEqual(['save order PENDING_PAYMENT', 'saga.signal new-wait']);
    },
  );
});
