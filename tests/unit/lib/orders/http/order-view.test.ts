import { describe, expect, test } from 'vitest';
import { toOrderDocument } from '../../../../../lib/orders/http/order-view.ts';
import type { Order } from '../../../../../lib/orders/order.ts';
import { NOW_MS, orderIn, World } from '../fakes.ts';

const PAY_1 = { paymentId: 'pay_1' };
const WISH = { modification: { status: 'PENDING', items: [] } } as const;

/** By hand: the actions that an order allows now. */
const LINKS: readonly (readonly [string, Order, readonly string[]])[] = [
  ['CREATED', orderIn('CREATED'), ['cancel']],
  ['reserved', orderIn('PENDING_RESERVING_STOCK'), ['cancel']],
  ['reserved for a payment', orderIn('PENDING_RESERVING_STOCK', PAY_1), ['cancel', 'payment']],
  ['PENDING_PAYMENT', orderIn('PENDING_PAYMENT'), ['pay', 'modify', 'cancel']],
  [
    'PENDING_PAYMENT, out of time',
    orderIn('PENDING_PAYMENT', { reservationExpiresAtMs: NOW_MS }),
    ['cancel'],
  ],
  [
    'PENDING_PAYMENT, changed too often',
    orderIn('PENDING_PAYMENT', { modifications: 20 }),
    ['pay', 'cancel'],
  ],
  ['PAYMENT_IN_PROGRESS', orderIn('PAYMENT_IN_PROGRESS'), ['modify', 'payment']],
  ['PAYMENT_IN_PROGRESS, to be changed', orderIn('PAYMENT_IN_PROGRESS', WISH), ['payment']],
  ['PAYMENT_DONE', orderIn('PAYMENT_DONE'), ['payment']],
  ['PAYMENT_FAILED', orderIn('PAYMENT_FAILED'), ['modify', 'cancel', 'retryPayment', 'payment']],
  [
    'PAYMENT_FAILED, tried too often',
    orderIn('PAYMENT_FAILED', { run: 40 }),
    ['modify', 'cancel', 'payment'],
  ],
  ['ORDER_FAILED', orderIn('ORDER_FAILED'), ['cancel', 'retryOrder']],
  ['ORDER_FAILED, once more', orderIn('ORDER_FAILED', { run: 39 }), ['cancel', 'retryOrder']],
  ['ORDER_FAILED, tried too often', orderIn('ORDER_FAILED', { run: 40 }), ['cancel']],
  ['INVALID', orderIn('INVALID'), []],
  ['ORDER_CANCELLED', orderIn('ORDER_CANCELLED'), []],
];

const HREFS = {
  self: { method: 'GET', href: '/order/ord_1' },
  pay: { method: 'POST', href: '/payment' },
  modify: { method: 'PUT', href: '/order/ord_1' },
  cancel: { method: 'POST', href: '/order/cancelorder/ord_1' },
  retryOrder: { method: 'POST', href: '/order/retryorder/ord_1' },
  retryPayment: { method: 'POST', href: '/retrypayment' },
  payment: { method: 'GET', href: '/payment/pay_1' },
};

describe('an order as its user sees it', () => {
  test.each(LINKS)(
    '%s: links to what is possible now, and to nothing else',
    (_what, order, names) => {
      const { links, paymentUrl } = toOrderDocument(new World(order).service, order);
      const expected = Object.entries(HREFS).filter(
        ([name]) => name === 'self' || names.includes(name),
      );
      expect(links).toEqual(Object.fromEntries(expected));
      expect(paymentUrl).toBe(names.includes('pay') ? 'http://localhost:3000/pay/ord_1' : null);
    },
  );

  test('has null for what is not there yet', () => {
    const order = orderIn('CREATED', { items: [{ productId: 'mug', quantity: 2 }] });
    expect(toOrderDocument(new World(order).service, order)).toMatchObject({
      reason: null,
      total: null,
      reservationExpiresAt: null,
      paymentId: null,
      modification: null,
      items: [{ productId: 'mug', quantity: 2, unitPrice: null }],
    });
  });

  test('shows nothing of how it is worked on', () => {
    const order = orderIn('PENDING_PAYMENT', WISH);
    const shown = toOrderDocument(new World(order).service, order);
    expect(shown.modification).toEqual({ status: 'PENDING', code: null });
    expect(JSON.stringify(shown)).not.toMatch(/user-wait|dueAtMs|heldRevision|correlationId/);
  });
});
