import { describe, expect, test } from 'vitest';
import { GATEWAY_ID } from '../../../../lib/limits.ts';
import { ownedPayment } from '../../../../lib/orders/order-service.ts';
import { orderIdOfPayment, paymentIdFor } from '../../../../lib/orders/payment-id.ts';
import { NotFound } from '../../../../lib/platform/errors.ts';
import { deriveId } from '../../../../lib/platform/ids.ts';
import { orderIn, paymentIn, World } from './fakes.ts';

const ORDER_ID = deriveId('ord', 'alice', 'POST /order', 'key-1');
const PAYMENT_ID = paymentIdFor(ORDER_ID, 'alice', 'POST /payment', 'key-2');

describe('the id of a payment', () => {
  test('leads to its order, and to no other', () => {
    expect(orderIdOfPayment(PAYMENT_ID)).toBe(ORDER_ID);
    expect(GATEWAY_ID.test(PAYMENT_ID)).toBe(true);
  });

  test('is the same for the same request, and another for each user, route, key and order', () => {
    expect(paymentIdFor(ORDER_ID, 'alice', 'POST /payment', 'key-2')).toBe(PAYMENT_ID);
    const ids = new Set([
      PAYMENT_ID,
      paymentIdFor(ORDER_ID, 'bob', 'POST /payment', 'key-2'),
      paymentIdFor(ORDER_ID, 'alice', 'POST /retrypayment', 'key-2'),
      paymentIdFor(ORDER_ID, 'alice', 'POST /payment', 'key-3'),
      paymentIdFor(deriveId('ord', 'other'), 'alice', 'POST /payment', 'key-2'),
    ]);
    expect(ids.size).toBe(5);
  });

  test.each([
    '',
    'pay_',
    'pay_91b7e0d3c25a4f868e1f7a6b30',
    `${PAYMENT_ID}0`,
    PAYMENT_ID.toUpperCase(),
    ` ${PAYMENT_ID}`,
    `${PAYMENT_ID}\n`,
    PAYMENT_ID.replace('pay_', 'ord_'),
    'x'.repeat(5000),
  ])('cannot be %j', (id) => {
    expect(orderIdOfPayment(id)).toBeUndefined();
  });
});

describe('a payment that is asked for', () => {
  const world = () =>
    new World(orderIn('PAYMENT_FAILED', { orderId: ORDER_ID }), {
      ...paymentIn('DECLINED'),
      paymentId: PAYMENT_ID,
    });

  test('is found in its order', async () => {
    const { service } = world();
    expect(await ownedPayment(service, PAYMENT_ID, 'alice')).toMatchObject({
      orderId: ORDER_ID,
      payment: { paymentId: PAYMENT_ID, status: 'DECLINED' },
    });
  });

  test.each([
    ['of another user', PAYMENT_ID, 'mallory', 1],
    ['that its order does not have', paymentIdFor(ORDER_ID, 'other'), 'alice', 1],
    ['of an order that is not there', paymentIdFor(deriveId('ord', 'gone')), 'alice', 1],
    ['whose id is impossible, which never becomes a key', 'pay_1', 'alice', 0],
  ])('%s does not exist', async (_what, paymentId, userId, reads) => {
    const of = world();
    await expect(ownedPayment(of.service, paymentId, userId)).rejects.toBeInstanceOf(NotFound);
    expect(of.calls).toHaveLength(reads);
  });
});
