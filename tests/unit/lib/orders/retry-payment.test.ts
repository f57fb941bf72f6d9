import { describe, expect, test } from 'vitest';
import { currentPayment } from '../../../../lib/orders/order-payments.ts';
import { PaymentUnsettled } from '../../../../lib/orders/refusals.ts';
import { retryPayment } from '../../../../lib/orders/retry-payment.ts';
import type { Payment } from '../../../../lib/payments/payment.ts';
import {
  IllegalTransition,
  InfrastructureUnavailable,
  NotFound,
} from '../../../../lib/platform/errors.ts';
import { EUR_26, NOW_MS, orderIn, paymentIn, World } from './fakes.ts';

const REQUEST = {
  userId: 'alice',
  orderId: 'ord_1',
  methodToken: 'tok_new',
  idempotencyKey: undefined as string | undefined,
};
const KEYED = { ...REQUEST, idempotencyKey: 'key-1' };

const failed = (payment: Payment = paymentIn('DECLINED'), run = 2) =>
  new World(orderIn('PAYMENT_FAILED', { run, total: EUR_26 }), payment);

const BEGUN = [
  'save open orders ord_1',
  'keep method tok_new',
  'save order PENDING_RESERVING_STOCK with payment INITIATED',
  'saga.start ord_1-3',
];

describe('retrying a payment', () => {
  test('writes the order and its new payment at once, then starts the next run', async () => {
    const world = failed();
    const { paymentId } = (await retryPayment(world.service, REQUEST)).payment;
    expect(world.effects).toEqual(BEGUN);
    expect(world.order).toMatchObject({
      status: 'PENDING_RESERVING_STOCK',
      purpose: 'PAYMENT_RETRY',
      run: 3,
      revision: 4,
      dueAtMs: NOW_MS + 30_000,
    });
    expect(world.order.payments).toHaveLength(2);
    expect(currentPayment(world.order)).toMatchObject({
      paymentId,
      status: 'INITIATED',
      attempt: 2,
      revision: 4,
      amount: EUR_26,
      methodId: [...world.methods.keys()].at(-1),
    });
    expect(paymentId).not.toBe('pay_1');
  });

  test.each([
    ['DECLINED', paymentIn('DECLINED'), true],
    ['VOIDED', paymentIn('VOIDED'), true],
    ['REFUNDED', paymentIn('REFUNDED'), true],
    ['FAILED', paymentIn('FAILED'), true],
    ['INITIATED', paymentIn('INITIATED'), false],
    ['PENDING', paymentIn('PENDING'), false],
    ['to be voided', paymentIn('FAILED', { voidOwed: { dueAtMs: NOW_MS } }), false],
    [
      'to be refunded',
      paymentIn('CAPTURED', { refundOwed: { reason: 'LATE', dueAtMs: NOW_MS } }),
      true,
    ],
  ])('after one that is %s is allowed: %s', async (_what, payment, isSettled) => {
    const world = failed(payment);
    const retried = retryPayment(world.service, REQUEST);
    if (isSettled) {
      await retried;
      expect(world.effects).toEqual(BEGUN);
      return;
    }
    const refusal = await retried.catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(PaymentUnsettled);
    expect(refusal).toMatchObject({ retryAfterSeconds: 5 });
    expect(world.effects).toEqual([]);
  });

  test.each([
    [39, true],
    [40, false],
    [50, false],
  ])('in run %i is allowed: %s', async (run, isAllowed) => {
    const world = failed(paymentIn('DECLINED'), run);
    const retried = retryPayment(world.service, REQUEST);
    if (isAllowed) {
      await retried;
      expect(world.order.run).toBe(run + 1);
      return;
    }
    await expect(retried).rejects.toBeInstanceOf(IllegalTransition);
    expect(world.effects).toEqual([]);
  });

  test.each([
    'CREATED',
    'PENDING_RESERVING_STOCK',
    'PENDING_PAYMENT',
    'PAYMENT_DONE',
    'ORDER_FAILED',
    'INVALID',
    'ORDER_CANCELLED',
  ] as const)('of an order that is %s is refused', async (status) => {
    const world = new World(orderIn(status), paymentIn('DECLINED'));
    await expect(retryPayment(world.service, REQUEST)).rejects.toBeInstanceOf(IllegalTransition);
    expect(world.effects).toEqual([]);
  });

  test.each([
    orderIn('PAYMENT_IN_PROGRESS'),
    orderIn('PENDING_RESERVING_STOCK', { purpose: 'PAYMENT_RETRY' }),
  ])('while one is open ($status) answers with that one', async (order) => {
    const world = new World(order, paymentIn('INITIATED'));
    const { payment } = await retryPayment(world.service, REQUEST);
    expect(payment).toEqual(paymentIn('INITIATED'));
    expect(world.effects).toEqual([]);
  });

  test.each([
    ['ends without money', orderIn('PAYMENT_IN_PROGRESS'), 'has its outcome'],
    [
      'reserves other items',
      orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION' }),
      'reserved',
    ],
  ])('while the order %s is refused for a moment, and says why', async (_what, order, why) => {
    const world = new World(order, paymentIn('DECLINED'));
    await expect(retryPayment(world.service, REQUEST)).rejects.toMatchObject({
      name: 'IllegalTransition',
      retryAfterSeconds: 1,
      message: expect.stringContaining(why) as string,
    });
  });

  test('with the same key again answers with the same payment', async () => {
    const world = failed();
    const first = await retryPayment(world.service, KEYED);
    const order = world.order;
    expect(await retryPayment(world.service, KEYED)).toEqual(first);
    expect(world.order).toEqual(order);
    // The first process may have died before it started the run; the second start is harmless.
    expect(world.effects).toEqual([...BEGUN, 'saga.start ord_1-3']);
  });

  test('with a key that paid another order makes another payment: each id leads to its order', async () => {
    const world = failed();
    const first = await retryPayment(world.service, KEYED);
    world.put(orderIn('PAYMENT_FAILED', { orderId: 'ord_2' }));
    const second = await retryPayment(world.service, { ...KEYED, orderId: 'ord_2' });
    const ids = [first.payment.paymentId, second.payment.paymentId];
    expect(ids.map((id) => id.slice(0, 'pay_1_'.length))).toEqual(['pay_1_', 'pay_2_']);
  });

  test('without a place among the open orders is refused, and charges nothing', async () => {
    const world = failed();
    const others = Array.from({ length: 10 }, (_none, index) => `ord_${String(index + 2)}`);
    world.put(...others.map((orderId) => orderIn('PENDING_PAYMENT', { orderId })));
    const entries = others.map((orderId) => ({ itemsKey: orderId, orderId, atMs: 1, version: 1 }));
    world.openOrders = { version: 1, entries };
    await expect(retryPayment(world.service, REQUEST)).rejects.toMatchObject({
      name: 'TooManyOpenOrders',
    });
    expect(world.effects).toEqual([]);
  });

  test('of somebody else is not found', async () => {
    const world = failed();
    await expect(
      retryPayment(world.service, { ...REQUEST, userId: 'mallory' }),
    ).rejects.toBeInstanceOf(NotFound);
    expect(world.effects).toEqual([]);
  });

  test('stands though the saga could not be started', async () => {
    const world = failed();
    world.failAt('saga.start', new InfrastructureUnavailable('No answer.'));
    const { payment } = await retryPayment(world.service, REQUEST);
    expect(payment.status).toBe('INITIATED');
    expect(world.order).toMatchObject({ status: 'PENDING_RESERVING_STOCK', run: 3 });
  });
});
