import { MAX_MODIFICATIONS_PER_ORDER } from '../../limits.ts';
import { acknowledgementSchema } from '../../payments/acknowledgement.ts';
import { acceptedSchema } from '../../payments/acknowledgement-document.ts';
import {
  type AnswerHeader,
  answer,
  type DocumentedAnswer,
  type Operation,
  request,
  type ServiceDocument,
} from '../../platform/http/operation-document.ts';
import { listOrdersQuerySchema } from '../list-orders.ts';
import {
  linkSchema,
  type OrderDocument,
  orderPageSchema,
  orderSchema,
  type PaymentDocument,
  paymentSchema,
} from './order-document.ts';
import { itemsBodySchema, paymentBodySchema } from './request-schemas.ts';

const orderId = 'ord_5f0c2d9ab8f34e61a7d2c49e01';
const paymentId = 'pay_91b7e0d3c25a4f868e1f7a6b30';
const total = { amount: 2598, currency: 'EUR' };
const links = {
  self: { method: 'GET', href: `/order/${orderId}` },
  pay: { method: 'POST', href: '/payment' },
  modify: { method: 'PUT', href: `/order/${orderId}` },
  cancel: { method: 'POST', href: `/order/cancelorder/${orderId}` },
  payment: { method: 'GET', href: `/payment/${paymentId}` },
};

const created: OrderDocument = {
  orderId,
  status: 'CREATED',
  reason: null,
  version: 1,
  items: [{ productId: 'prod-coffee', quantity: 2, unitPrice: null }],
  total: null,
  reservationExpiresAt: null,
  paymentUrl: null,
  paymentId: null,
  modification: null,
  refunds: [],
  history: [
    {
      from: null,
      to: 'CREATED',
      reason: 'ORDER_PLACED',
      at: '2026-11-21T09:00:00.000Z',
      by: 'alice',
    },
  ],
  createdAt: '2026-11-21T09:00:00.000Z',
  links: { self: links.self, cancel: links.cancel },
};

const reserved: OrderDocument = {
  ...created,
  status: 'PENDING_PAYMENT',
  version: 3,
  items: [{ productId: 'prod-coffee', quantity: 2, unitPrice: { amount: 1299, currency: 'EUR' } }],
  total,
  reservationExpiresAt: '2026-11-21T09:15:01.000Z',
  paymentUrl: `http://localhost:3000/pay/${orderId}`,
  history: [
    ...created.history,
    {
      from: 'CREATED',
      to: 'PENDING_RESERVING_STOCK',
      reason: 'SAGA_STARTED',
      at: '2026-11-21T09:00:00.400Z',
      by: 'ordersaga',
    },
    {
      from: 'PENDING_RESERVING_STOCK',
      to: 'PENDING_PAYMENT',
      reason: 'STOCK_RESERVED',
      at: '2026-11-21T09:00:01.000Z',
      by: 'ordersaga',
    },
  ],
  links: { self: links.self, pay: links.pay, modify: links.modify, cancel: links.cancel },
};

const modifying: OrderDocument = {
  ...reserved,
  status: 'PENDING_RESERVING_STOCK',
  version: 4,
  reservationExpiresAt: null,
  paymentUrl: null,
  modification: { status: 'PENDING', code: null },
  history: [
    ...reserved.history,
    {
      from: 'PENDING_PAYMENT',
      to: 'PENDING_RESERVING_STOCK',
      reason: 'USER_MODIFIED',
      at: '2026-11-21T09:01:00.000Z',
      by: 'alice',
    },
  ],
  links: { self: links.self, cancel: links.cancel },
};

const modified: OrderDocument = {
  ...reserved,
  version: 5,
  items: [{ productId: 'prod-coffee', quantity: 1, unitPrice: { amount: 1299, currency: 'EUR' } }],
  total: { amount: 1299, currency: 'EUR' },
  modification: { status: 'APPLIED', code: null },
  history: [
    ...modifying.history,
    {
      from: 'PENDING_RESERVING_STOCK',
      to: 'PENDING_PAYMENT',
      reason: 'STOCK_RESERVED',
      at: '2026-11-21T09:01:01.000Z',
      by: 'ordersaga',
    },
  ],
};

const cancelled: OrderDocument = {
  ...created,
  status: 'ORDER_CANCELLED',
  reason: 'USER_CANCELLED',
  version: 2,
  history: [
    ...created.history,
    {
      from: 'CREATED',
      to: 'ORDER_CANCELLED',
      reason: 'USER_CANCELLED',
      at: '2026-11-21T09:00:00.200Z',
      by: 'alice',
    },
  ],
  links: { self: links.self },
};

const initiated: PaymentDocument = {
  paymentId,
  orderId,
  attempt: 1,
  amount: total,
  status: 'INITIATED',
  code: null,
  history: [
    { from: null, to: 'INITIATED', reason: 'PAYMENT_STARTED', at: '2026-11-21T09:02:00.000Z' },
  ],
  createdAt: '2026-11-21T09:02:00.000Z',
  links: { self: links.payment, order: links.self },
};

const captured: PaymentDocument = {
  ...initiated,
  status: 'CAPTURED',
  history: [
    ...initiated.history,
    {
      from: 'INITIATED',
      to: 'CAPTURED',
      reason: 'CAPTURED',
      at: '2026-11-21T09:02:01.000Z',
    },
  ],
};

const items = request(itemsBodySchema, { items: [{ productId: 'prod-coffee', quantity: 2 }] });
const payment = request(paymentBodySchema, { orderId, paymentMethod: { token: 'tok_ok' } });
const ofOrder = { orderId: { description: "The order's id.", example: orderId } };

const PLACED: readonly AnswerHeader[] = ['Location', 'ETag'];
const placed: Readonly<Record<number, DocumentedAnswer>> = {
  201: answer('The stock is reserved; the order can be paid.', orderSchema, reserved, PLACED),
  202: answer(
    'Stored, and its stock is not decided yet: look at the order, or send `Prefer: wait=10`.',
    orderSchema,
    created,
    [...PLACED, 'Retry-After'],
  ),
};
const settled: Readonly<Record<number, DocumentedAnswer>> = {
  200: answer('The money is captured and the order is paid.', paymentSchema, captured, [
    'Location',
  ]),
  202: answer(
    'The payment is under way: look at it, or send `Prefer: wait=10`.',
    paymentSchema,
    initiated,
    ['Location', 'Retry-After'],
  ),
};

const REFUSED = [
  'OUT_OF_STOCK',
  'UNKNOWN_PRODUCT',
  'MIXED_CURRENCIES',
  'BAD_QUANTITY',
  'ORDER_FAILED',
];

const operations: Readonly<Record<string, Operation>> = {
  'POST /order': {
    id: 'placeOrder',
    tag: 'Orders',
    summary: 'Place an order',
    description:
      'Stores the order and reserves its stock. With `Prefer: wait=10` it answers when the stock is ' +
      'decided. An order with a quantity that is out of range is stored as `INVALID`. The same key ' +
      'on an order that has failed since runs it again.',
    access: 'user',
    idempotent: true,
    headers: ['Prefer', 'X-Allow-Duplicate'],
    body: items,
    answers: placed,
    problems: [...REFUSED, 'DUPLICATE_ORDER', 'CONCURRENT_UPDATE', 'ILLEGAL_TRANSITION'],
  },
  'GET /order': {
    id: 'listOrders',
    tag: 'Orders',
    summary: 'List your orders',
    description: 'Your own orders, newest first, a page at a time.',
    access: 'user',
    query: request(listOrdersQuerySchema, { limit: '10' }),
    answers: {
      200: answer('One page.', orderPageSchema, { orders: [reserved], next: null }),
    },
  },
  'GET /order/{orderId}': {
    id: 'getOrder',
    tag: 'Orders',
    summary: 'Look at an order',
    description:
      'The order as it is now, with its history and the calls it allows. ' +
      '`If-None-Match` and `Prefer: wait=N` together wait for its next change.',
    access: 'user',
    headers: ['If-None-Match', 'Prefer'],
    path: ofOrder,
    answers: { 200: answer('The order.', orderSchema, reserved, ['ETag']) },
    problems: ['NOT_FOUND'],
  },
  'PUT /order/{orderId}': {
    id: 'modifyOrder',
    tag: 'Orders',
    summary: 'Change the items of an order',
    description:
      'Replaces the items while the order waits for a payment, is being paid, or after a payment ' +
      'failed. The old items and total stand until the new ones are reserved. At most ' +
      `${String(MAX_MODIFICATIONS_PER_ORDER)} times.`,
    access: 'user',
    idempotent: true,
    headers: ['Prefer', 'If-Match'],
    path: ofOrder,
    body: request(itemsBodySchema, { items: [{ productId: 'prod-coffee', quantity: 1 }] }),
    answers: {
      200: answer('The change is decided; the order as it now is.', orderSchema, modified, [
        'ETag',
      ]),
      202: answer(
        'The change is noted and not decided yet: look at the order, or send `Prefer: wait=10`.',
        orderSchema,
        modifying,
        ['ETag', 'Retry-After'],
      ),
    },
    problems: [
      'NOT_FOUND',
      'PRECONDITION_FAILED',
      'BAD_QUANTITY',
      'ILLEGAL_TRANSITION',
      'MODIFICATION_PENDING',
      'MODIFICATION_REJECTED',
      'RESERVATION_EXPIRED',
      'CONCURRENT_UPDATE',
      'UNKNOWN_PRODUCT',
      'PRODUCT_UNAVAILABLE',
      'MIXED_CURRENCIES',
      'ORDER_FAILED',
      'INVENTORY_UNAVAILABLE',
      'INVENTORY_TIMEOUT',
      'INVENTORY_RESTARTING',
      'LOCK_CONTENTION',
      'CACHE_TIMEOUT',
    ],
  },
  'POST /order/cancelorder/{orderId}': {
    id: 'cancelOrder',
    tag: 'Orders',
    summary: 'Cancel an order',
    description:
      'Cancels the order unless it is being paid, paid or invalid, and gives its stock back. ' +
      'Repeating it is harmless.',
    access: 'user',
    idempotent: true,
    path: ofOrder,
    answers: { 200: answer('The order is cancelled.', orderSchema, cancelled, ['ETag']) },
    problems: ['NOT_FOUND', 'ILLEGAL_TRANSITION', 'CONCURRENT_UPDATE'],
  },
  'POST /order/retryorder/{orderId}': {
    id: 'retryOrder',
    tag: 'Orders',
    summary: 'Retry a failed order',
    description: 'Runs an order again that is `ORDER_FAILED`; answers as placing one does.',
    access: 'user',
    idempotent: true,
    headers: ['Prefer'],
    path: ofOrder,
    answers: placed,
    problems: [...REFUSED, 'NOT_FOUND', 'ILLEGAL_TRANSITION', 'CONCURRENT_UPDATE'],
  },
  'POST /payment': {
    id: 'startPayment',
    tag: 'Payments',
    summary: 'Pay an order',
    description:
      'Charges the total of an order that is `PENDING_PAYMENT`. One payment of an order is open at ' +
      'a time: while one is, it is the answer.',
    access: 'user',
    idempotent: true,
    headers: ['Prefer'],
    body: payment,
    answers: settled,
    problems: [
      'PAYMENT_DECLINED',
      'PAYMENT_FAILED',
      'NOT_FOUND',
      'ILLEGAL_TRANSITION',
      'RESERVATION_EXPIRED',
      'CONCURRENT_UPDATE',
    ],
  },
  'POST /retrypayment': {
    id: 'retryPayment',
    tag: 'Payments',
    summary: 'Retry a failed payment',
    description:
      'For an order that is `PAYMENT_FAILED`: reserves its stock again, then charges the same ' +
      'prices. Refused while an earlier payment is not settled.',
    access: 'user',
    idempotent: true,
    headers: ['Prefer'],
    body: payment,
    answers: settled,
    problems: [
      'PAYMENT_DECLINED',
      'PAYMENT_FAILED',
      'NOT_FOUND',
      'ILLEGAL_TRANSITION',
      'PAYMENT_UNSETTLED',
      'CONCURRENT_UPDATE',
    ],
  },
  'GET /payment/{paymentId}': {
    id: 'getPayment',
    tag: 'Payments',
    summary: 'Look at a payment',
    description: 'The payment as it is now; never its method.',
    access: 'user',
    path: { paymentId: { description: "The payment's id.", example: paymentId } },
    answers: { 200: answer('The payment.', paymentSchema, captured) },
    problems: ['NOT_FOUND'],
  },
  'POST /payment/webhook': {
    id: 'receiveAcknowledgement',
    tag: 'Payments',
    summary: 'Acknowledge a charge',
    description:
      'For the payment gateway. The body is signed; the acknowledgement is kept before it is ' +
      'answered, and an event that comes twice has one effect. Fields that are not listed are ' +
      'passed over.',
    access: 'public',
    isSigned: true,
    body: request(acknowledgementSchema, {
      eventId: 'evt_2c8f61',
      type: 'charge.updated',
      paymentId,
      orderId,
      status: 'CAPTURED',
      occurredAt: '2026-11-21T09:02:01.000Z',
    }),
    answers: {
      202: answer('It is kept and will be handled.', acceptedSchema, { accepted: true }),
    },
    problems: ['TEMPORARILY_UNAVAILABLE'],
  },
};

/** Orders and payments, as the Order Service answers for them. */
export const orderServiceDocument: ServiceDocument = {
  operations,
  requests: {
    Items: itemsBodySchema,
    PaymentRequest: paymentBodySchema,
    Acknowledgement: acknowledgementSchema,
  },
  responses: {
    Order: orderSchema,
    OrderPage: orderPageSchema,
    Payment: paymentSchema,
    Link: linkSchema,
    Accepted: acceptedSchema,
  },
};
