import * as z from 'zod';
import { webhookBodySchema } from '../../payments/acknowledgement.ts';
import type { Answers } from '../../platform/http/endpoint.ts';
import { example, type ServiceExamples } from '../../platform/http/examples.ts';
import { itemsBodySchema, paymentBodySchema } from './request-schemas.ts';
import {
  linkSchema,
  type OrderDocument,
  orderPageSchema,
  orderSchema,
  type PaymentDocument,
  paymentSchema,
} from './response-schemas.ts';

const orderId = 'ord_5f0c2d9ab8f34e61a7d2c49e01';
const paymentId = 'pay_5f0c2d9ab8f34e61a7d2c49e01_91b7e0d3c25a4f868e1f7a6b30';
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
  refused: null,
  refunds: [],
  history: [
    {
      from: null,
      to: 'CREATED',
      reason: 'ORDER_PLACED',
      at: '2026-11-21T09:00:00.000Z',
      by: 'user',
    },
  ],
  waiting: null,
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
      by: 'user',
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
      by: 'user',
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

const acceptedSchema = z.object({ accepted: z.literal(true) });

/** Orders and payments, as the Order Service answers for them. */
export const orderExamples = {
  tags: [
    { name: 'Orders', description: 'Place, follow, change, cancel and retry your own orders.' },
    { name: 'Payments', description: 'Pay your own orders, and what the payment gateway reports.' },
  ],
  pathParameters: {
    orderId: { description: "The order's id.", example: orderId },
    paymentId: { description: "The payment's id.", example: paymentId },
  },
  requestHeaders: {
    'X-Allow-Duplicate': {
      description: '`true`: the same order once more, on purpose.',
      schema: { type: 'string', enum: ['true', 'false'] },
      example: 'true',
    },
  },
  answers: {
    createdOrder: example(orderSchema, created),
    reservedOrder: example(orderSchema, reserved),
    modifyingOrder: example(orderSchema, modifying),
    modifiedOrder: example(orderSchema, modified),
    cancelledOrder: example(orderSchema, cancelled),
    orderPage: example(orderPageSchema, { orders: [reserved], next: null }),
    initiatedPayment: example(paymentSchema, initiated),
    capturedPayment: example(paymentSchema, captured),
    accepted: example(acceptedSchema, { accepted: true }),
  },
  requests: {
    Items: itemsBodySchema,
    PaymentRequest: paymentBodySchema,
    Acknowledgement: webhookBodySchema,
  },
  responses: {
    Order: orderSchema,
    OrderPage: orderPageSchema,
    Payment: paymentSchema,
    Link: linkSchema,
    Accepted: acceptedSchema,
  },
} as const satisfies ServiceExamples;

export type OrderAnswers = Answers<keyof typeof orderExamples.answers>;
