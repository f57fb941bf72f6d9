import { describe, expect, test } from 'vitest';
import { awaitAcknowledgement } from '../../../../../lib/orders/saga/await-acknowledgement.ts';
import { WaitSuperseded } from '../../../../../lib/orders/saga/signals.ts';
import type { Payment, PendingPayment } from '../../../../../lib/payments/payment.ts';
import { NOW_MS, orderIn, paymentIn, RUN, World, waitOf } from '../fakes.ts';

const WISH = { status: 'PENDING', items: [{ productId: 'mug', quantity: 5 }] } as const;

const paying = (payment: Payment = paymentIn('INITIATED')) =>
  new World(orderIn('PAYMENT_IN_PROGRESS'), payment);

const waiting = (payment: Partial<PendingPayment>) =>
  new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('PENDING', payment));

describe('waiting for the acknowledgement', () => {
  const own = waitOf('new-wait', { enteredAtMs: NOW_MS });
  const wait = (world: World) => awaitAcknowledgement(world.service, { ...RUN, ...own });

  test('stores its token, then the latest time, and nobody sees it', async () => {
    const world = paying();
    await wait(world);
    expect(world.effects).toEqual(['store new-wait', 'save payment PENDING']);
    expect(world.wait).toEqual(own);
    expect(world.payment()).toMatchObject({
      status: 'PENDING',
      methodId: 'met_1',
      acknowledgeByMs: NOW_MS + 180_000,
    });
    expect(world.order).toMatchObject({ version: 7, writes: 18 });
  });

  test('again stores its token, and leaves the order and the latest time alone', async () => {
    const world = waiting({ acknowledgeByMs: NOW_MS + 5 });
    const { order } = world;
    await wait(world);
    expect(world.effects).toEqual(['store new-wait']);
    expect(world.wait).toEqual(own);
    expect(world.order).toEqual(order);
  });

  test('again, after the latest time, completes itself', async () => {
    const world = waiting({ acknowledgeByMs: NOW_MS });
    await wait(world);
    expect(world.effects).toEqual(['store new-wait', 'saga.signal new-wait']);
  });

  test('late, after a later try has stored its token, ends at once', async () => {
    const world = paying();
    world.wait = waitOf('live', { enteredAtMs: NOW_MS, retryCount: 1 });
    const { order } = world;
    await expect(wait(world)).rejects.toBeInstanceOf(WaitSuperseded);
    expect(world.effects).toEqual(['store new-wait']);
    expect(world.order).toEqual(order);
  });

  test('of an order that waits already sees what was decided before its token was stored', async () => {
    const world = waiting({});
    world.interfere = (call) => {
      if (call === 'store new-wait') world.put(paymentIn('CAPTURED'));
    };
    await wait(world);
    expect(world.effects).toEqual(['store new-wait', 'saga.signal new-wait']);
  });

  test('completes itself where the user wanted other items before the token was there', async () => {
    const world = paying();
    world.interfere = (call) => {
      // Between the step's read and its write; the user's signal may still find no token.
      if (call !== 'save payment PENDING' || world.order.version === 8) return;
      world.put(orderIn('PAYMENT_IN_PROGRESS', { version: 8, writes: 18, modification: WISH }));
    };
    await wait(world);
    expect(world.effects).toEqual([
      'store new-wait',
      'save payment PENDING',
      'save payment PENDING',
      'saga.signal new-wait',
    ]);
  });

  test('completes itself where the user wants other items, after its token is stored', async () => {
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS', { modification: WISH }),
      paymentIn('INITIATED'),
    );
    await wait(world);
    expect(world.effects).toEqual([
      'store new-wait',
      'save payment PENDING',
      'saga.signal new-wait',
    ]);
  });

  test.each([
    ['the payment is settled', orderIn('PAYMENT_IN_PROGRESS'), paymentIn('CAPTURED')],
    ['the payment was declined', orderIn('PAYMENT_IN_PROGRESS'), paymentIn('DECLINED')],
    ['the order was rolled back', orderIn('PAYMENT_FAILED'), paymentIn('PENDING')],
    ['the order is paid', orderIn('PAYMENT_DONE'), paymentIn('CAPTURED')],
  ])('completes itself where %s', async (_what, order, payment) => {
    const world = new World(order, payment);
    await wait(world);
    expect(world.effects).toEqual(['store new-wait', 'saga.signal new-wait']);
  });

  test('completes itself where the acknowledgement comes in just before its own write', async () => {
    const world = paying();
    world.interfere = (call) => {
      if (call === 'save payment PENDING') world.put(paymentIn('CAPTURED'));
    };
    await wait(world);
    expect(world.effects).toEqual([
      'store new-wait',
      'save payment PENDING',
      'saga.signal new-wait',
    ]);
    expect(world.payment().status).toBe('CAPTURED');
  });
});
