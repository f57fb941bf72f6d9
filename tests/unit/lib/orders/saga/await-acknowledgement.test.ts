import { describe, expect, test } from 'vitest';
import { awaitAcknowledgement } from '../../../../../lib/orders/saga/await-acknowledgement.ts';
import type { Payment, PendingPayment } from '../../../../../lib/payments/payment.ts';
import { NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const WISH = { status: 'PENDING', items: [{ productId: 'mug', quantity: 5 }] } as const;

const paying = (payment: Payment = paymentIn('INITIATED')) =>
  new World(orderIn('PAYMENT_IN_PROGRESS'), payment);

const waiting = (payment: Partial<PendingPayment>) =>
  new World(
    orderIn('PAYMENT_IN_PROGRESS', { waitToken: 'gateway-wait' }),
    paymentIn('PENDING', payment),
  );

describe('waiting for the acknowledgement', () => {
  const wait = (world: World) =>
    awaitAcknowledgement(world.service, { ...RUN, waitToken: 'new-wait' });

  test('writes its token where the acknowledgement will be written, and the latest time, and nobody sees it', async () => {
    const world = paying();
    await wait(world);
    expect(world.effects).toEqual(['save payment PENDING']);
    expect(world.payment()).toMatchObject({
      status: 'PENDING',
      methodId: 'met_1',
      acknowledgeByMs: NOW_MS + 180_000,
    });
    expect(world.order).toMatchObject({ waitToken: 'new-wait', version: 7 });
  });

  test('again replaces the token, keeps the latest time, and recalls the other wait', async () => {
    const world = waiting({ acknowledgeByMs: NOW_MS + 5 });
    await wait(world);
    expect(world.effects).toEqual(['save order PAYMENT_IN_PROGRESS', 'saga.signal gateway-wait']);
    expect(world.order).toMatchObject({ waitToken: 'new-wait' });
    expect(world.payment()).toMatchObject({ acknowledgeByMs: NOW_MS + 5 });
  });

  test('again, after the latest time, completes itself', async () => {
    const world = waiting({ acknowledgeByMs: NOW_MS });
    await wait(world);
    expect(world.effects).toEqual([
      'save order PAYMENT_IN_PROGRESS',
      'saga.signal gateway-wait',
      'saga.signal new-wait',
    ]);
  });

  test('completes itself where the user wanted other items before the token was there', async () => {
    const world = paying();
    world.interfere = (call) => {
      // Between the step's first read and its write, the user's signal finds no token yet.
      if (call !== 'save payment PENDING' || world.order.version === 8) return;
      world.put(orderIn('PAYMENT_IN_PROGRESS', { version: 8, writes: 18, modification: WISH }));
    };
    await wait(world);
    expect(world.effects).toEqual([
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
      if (call === 'save payment PENDING') world.put(paymentIn('CAPTURED'));
    };
    await wait(world);
    expect(world.effects).toEqual(['save payment PENDING', 'saga.signal new-wait']);
    expect(world.payment().status).toBe('CAPTURED');
  });
});
