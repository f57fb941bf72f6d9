import { describe, expect, test } from 'vitest';
import {
  hasFailed,
  modificationAnswer,
  orderAnswer,
  paymentAnswer,
  toOrderDocument,
} from '../../../../../lib/orders/http/responses.ts';
import type { Order } from '../../../../../lib/orders/order.ts';
import type { Payment } from '../../../../../lib/payments/payment.ts';
import { NOW_MS, orderIn, paymentIn, World } from '../fakes.ts';

/** The status of a response, or the code of the problem in its place. */
async function outcomeOf(answer: Promise<{ readonly status: number }>): Promise<number | string> {
  return answer.then(
    ({ status }) => status,
    (error: unknown) => (error as { readonly code: string }).code,
  );
}

function answerFor(order: Order, waitSeconds = 0) {
  return orderAnswer(new World(order).service, order, waitSeconds);
}

function answerToChange(order: Order) {
  return modificationAnswer(new World(order).service, order, 0);
}

const PAY_1 = { payments: [paymentIn('INITIATED')] };
const WISH = { modification: { status: 'PENDING', items: [] } } as const;

/** The answer about the world's first payment, as it is stored when the call begins. */
function answerOf(world: World, waitSeconds = 0) {
  return paymentAnswer(
    world.service,
    { order: world.order, payment: world.payment() },
    waitSeconds,
  );
}

describe('the answer to placing or retrying an order', () => {
  test.each([
    ['CREATED', 202],
    ['PENDING_RESERVING_STOCK', 202],
    ['PENDING_PAYMENT', 201],
    ['PAYMENT_IN_PROGRESS', 202],
    ['PAYMENT_DONE', 202],
    ['PAYMENT_FAILED', 202],
    ['ORDER_CANCELLED', 202],
    ['INVALID', 'OUT_OF_STOCK'],
    ['ORDER_FAILED', 'ORDER_FAILED'],
  ] as const)('%s: %s', async (status, outcome) => {
    expect(await outcomeOf(answerFor(orderIn(status)))).toBe(outcome);
  });

  test('says where the order is and which version this is', async () => {
    expect((await answerFor(orderIn('PENDING_PAYMENT'))).headers).toEqual({
      Location: '/order/ord_1',
      ETag: '"7"',
    });
  });

  test.each(['BAD_QUANTITY', 'OUT_OF_STOCK', 'UNKNOWN_PRODUCT', 'MIXED_CURRENCIES'])(
    'INVALID for %s has that code and its own advice',
    async (reason) => {
      const answer = answerFor(orderIn('INVALID', { reason }));
      await expect(answer).rejects.toMatchObject({ code: reason, details: { orderId: 'ord_1' } });
      await expect(answer).rejects.not.toThrow('Place another order.');
    },
  );

  test('ORDER_FAILED keeps its reason and says when to try again', async () => {
    await expect(answerFor(orderIn('ORDER_FAILED'))).rejects.toMatchObject({
      details: { orderId: 'ord_1', reason: 'RESERVATION_EXPIRED' },
      retryAfterSeconds: 30,
    });
  });

  test('waits until the stock is decided', async () => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK'));
    world.interfere = () => {
      if (world.calls.length === 3) world.put(orderIn('PENDING_PAYMENT'));
    };
    expect(await orderAnswer(world.service, world.order, 10)).toMatchObject({ status: 201 });
  });

  test('does not wait longer than it is asked to', async () => {
    const world = new World(orderIn('PENDING_RESERVING_STOCK'));
    world.interfere = () => {
      world.clock.nowMs += 400;
    };
    expect(await orderAnswer(world.service, world.order, 1)).toMatchObject({
      status: 202,
      headers: { 'Retry-After': '1' },
    });
    expect(world.calls).toHaveLength(3);
  });

  test.each([
    [{ orderId: 'ord_1' }, orderIn('ORDER_FAILED'), true],
    [{ orderId: 'ord_1' }, orderIn('PENDING_PAYMENT'), false],
    [{ orderId: 'ord_9' }, orderIn('ORDER_FAILED'), false],
    [{}, orderIn('ORDER_FAILED'), false],
  ] as const)('%j given before has failed since ($status)', async (body, order, isFailed) => {
    expect(await hasFailed(new World(order).service, body)).toBe(isFailed);
  });
});

const applied = { modification: { status: 'APPLIED', items: [] } } as const;
const rejected = {
  modification: { status: 'REJECTED', items: [], code: 'OUT_OF_STOCK' },
} as const;

describe('the answer to modifying an order', () => {
  const cases: readonly (readonly [string, Order, number | string])[] = [
    ['reserved', orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION', ...WISH }), 202],
    [
      'refused, on its way back',
      orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION', ...rejected }),
      202,
    ],
    ['asked for a void', orderIn('PAYMENT_IN_PROGRESS', WISH), 202],
    ['applied', orderIn('PENDING_PAYMENT', applied), 200],
    ['refused', orderIn('PENDING_PAYMENT', rejected), 'MODIFICATION_REJECTED'],
    ['too late', orderIn('PAYMENT_DONE', rejected), 'MODIFICATION_REJECTED'],
    ['applied after a failure', orderIn('PAYMENT_FAILED', applied), 200],
    ['refused by a failure', orderIn('ORDER_FAILED', rejected), 'ORDER_FAILED'],
    ['applied and failed', orderIn('ORDER_FAILED', applied), 'ORDER_FAILED'],
  ];

  test.each(cases)('%s', async (_what, order, outcome) => {
    expect(await outcomeOf(answerToChange(order))).toBe(outcome);
  });

  test('long ago, by a product, does not explain the failure of the order now', async () => {
    const refused = { code: 'OUT_OF_STOCK', detail: 'Only 3 of prod-a.', productId: 'prod-a' };
    const order = orderIn('ORDER_FAILED', {
      ...rejected,
      refused,
      reason: 'INVENTORY_UNAVAILABLE',
    });
    const failure = await answerToChange(order).catch((error: unknown) => error);
    expect(failure).toHaveProperty('details', {
      orderId: 'ord_1',
      reason: 'INVENTORY_UNAVAILABLE',
    });
    expect((failure as Error).message).not.toContain('prod-a');
  });

  test('refused says why', async () => {
    await expect(answerToChange(orderIn('PENDING_PAYMENT', rejected))).rejects.toMatchObject({
      details: { orderId: 'ord_1', reason: 'OUT_OF_STOCK' },
    });
  });
});

describe('the answer to paying', () => {
  const cases: readonly (readonly [string, Payment, number | string, string | null])[] = [
    ['CAPTURED', paymentIn('CAPTURED'), 200, null],
    [
      'CAPTURED, to be refunded',
      paymentIn('CAPTURED', { refundOwed: { reason: 'RESERVATION_GONE', dueAtMs: NOW_MS } }),
      'PAYMENT_FAILED',
      'RESERVATION_GONE',
    ],
    ['DECLINED', paymentIn('DECLINED'), 'PAYMENT_DECLINED', 'INSUFFICIENT_FUNDS'],
    ['VOIDED', paymentIn('VOIDED'), 'PAYMENT_FAILED', 'PAYMENT_VOIDED'],
    ['REFUNDED', paymentIn('REFUNDED'), 'PAYMENT_FAILED', 'LATE_CAPTURE'],
    ['FAILED', paymentIn('FAILED'), 'PAYMENT_FAILED', 'PAYMENT_UNCONFIRMED'],
  ];

  test.each(cases)('%s', async (_what, payment, outcome, reason) => {
    const settled = new World(orderIn('PAYMENT_DONE'), payment);
    const answer = answerOf(settled);
    expect(await outcomeOf(answer)).toBe(outcome);
    const paying = new World(orderIn('PAYMENT_IN_PROGRESS'), payment);
    expect(await answerOf(paying)).toMatchObject({
      status: 202,
      headers: { Location: '/payment/pay_1' },
    });
    if (outcome === 200) return;
    await expect(answer).rejects.toMatchObject({
      details: { orderId: 'ord_1', paymentId: 'pay_1', paymentStatus: payment.status, reason },
    });
  });

  test('never shows how it is paid', async () => {
    const payment = paymentIn('PENDING');
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), payment);
    const shown = JSON.stringify(await answerOf(world));
    expect(shown).not.toMatch(/tok_ok|gateway-wait/);
  });

  test.each([
    ['PAYMENT_IN_PROGRESS', 'INITIATED', 202],
    ['PAYMENT_IN_PROGRESS', 'PENDING', 202],
    ['PAYMENT_IN_PROGRESS', 'CAPTURED', 202],
    ['PAYMENT_IN_PROGRESS', 'DECLINED', 202],
    ['PENDING_RESERVING_STOCK', 'INITIATED', 202],
    ['PENDING_RESERVING_STOCK', 'VOIDED', 'PAYMENT_FAILED'],
    ['PAYMENT_DONE', 'CAPTURED', 200],
    ['PAYMENT_FAILED', 'DECLINED', 'PAYMENT_DECLINED'],
    ['PAYMENT_FAILED', 'REFUNDED', 'PAYMENT_FAILED'],
  ] as const)('of an order that is %s, %s: %s', async (status, paymentStatus, outcome) => {
    const payment = paymentIn(paymentStatus);
    const world = new World(orderIn(status), payment);
    expect(await outcomeOf(answerOf(world))).toBe(outcome);
  });

  test('with an earlier payment is final, whatever the order does now', async () => {
    const payment = paymentIn('VOIDED');
    const current = paymentIn('INITIATED', { paymentId: 'pay_2' });
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), payment, current);
    expect(await outcomeOf(answerOf(world))).toBe('PAYMENT_FAILED');
  });

  test('is what was just written, and reads nothing, if the user does not wait', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('INITIATED'));
    const calls: string[] = [];
    world.interfere = (call) => {
      calls.push(call);
    };
    expect(await answerOf(world)).toMatchObject({ status: 202 });
    expect(calls).toEqual([]);
  });

  test('waits until the payment has its outcome', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('INITIATED'));
    let looks = 0;
    world.interfere = (call) => {
      if (call !== 'find order ord_1') return;
      looks += 1;
      if (looks === 3) world.put(orderIn('PAYMENT_DONE'));
    };
    expect(await answerOf(world, 10)).toMatchObject({ status: 200 });
  });
});

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
