import {
  CacheTimeout,
  InventoryRestarting,
  InventoryTimeout,
  InventoryUnavailable,
  LockContention,
  MixedCurrencies,
  UnknownProduct,
} from '../lib/inventory/refusals.ts';
import { MAX_BODY_BYTES } from '../lib/limits.ts';
import { orderExamples } from '../lib/orders/http/order-examples.ts';
import {
  BadQuantity,
  DuplicateOrder,
  ModificationPending,
  ModificationRejected,
  OrderFailed,
  OrderInFlight,
  PaymentDeclined,
  PaymentFailed,
  PaymentUnsettled,
  ReservationExpired,
  TooManyOpenOrders,
} from '../lib/orders/refusals.ts';
import { BadSignature } from '../lib/payments/refusals.ts';
import {
  DatabaseThrottled,
  IdempotencyConflict,
  RequestInProgress,
} from '../lib/platform/errors.ts';
import { INTERNAL_ERROR, type Problem, problem } from '../lib/platform/http/problems.ts';
import { problemTypeOf } from './problem-types.ts';

interface Example {
  readonly detail: string;
  readonly instance?: string;
  readonly members?: Readonly<Record<string, unknown>>;
}

const { orderId, paymentId } = orderExamples.pathParameters;
const ORDER = `/order/${orderId.example}`;
const ofOrder = { orderId: orderId.example };
const ofPayment = { ...ofOrder, paymentId: paymentId.example };
const ofProduct = { productId: 'prod-mug' };

/** By code. Details that depend on the request are written out; all others are the refusals' advice. */
const EXAMPLES: Readonly<Record<string, Example>> = {
  BAD_REQUEST: {
    detail: 'Correct the body: items.0.quantity: Invalid input: expected int, received number.',
    members: {
      errors: [
        { field: 'items.0.quantity', message: 'Invalid input: expected int, received number' },
      ],
    },
  },
  BODY_TOO_LARGE: { detail: `Send at most ${String(MAX_BODY_BYTES)} bytes.` },
  UNAUTHENTICATED: { detail: 'The token has expired; get a new one.' },
  BAD_SIGNATURE: {
    detail: BadSignature.refusal.advice,
    instance: '/payment/webhook',
  },
  MISSING_SCOPE: {
    detail: 'This needs a token with the scope products:write.',
    instance: '/product',
  },
  NOT_FOUND: {
    detail: 'You have no such order; check the id and the token you use.',
    instance: ORDER,
  },
  ILLEGAL_TRANSITION: {
    detail: 'The order is PAYMENT_DONE; that is final.',
    instance: ORDER,
    members: ofOrder,
  },
  DUPLICATE_ORDER: {
    detail: DuplicateOrder.refusal.advice,
    members: { ...ofOrder, order: ORDER },
  },
  ORDER_IN_FLIGHT: {
    detail: OrderInFlight.refusal.advice,
    members: ofOrder,
  },
  TOO_MANY_OPEN_ORDERS: {
    detail: TooManyOpenOrders.refusal.advice,
    members: {
      orders: [
        { ...ofOrder, status: 'PENDING_PAYMENT', links: { self: { method: 'GET', href: ORDER } } },
      ],
    },
  },
  REQUEST_IN_PROGRESS: {
    detail: RequestInProgress.refusal.advice,
  },
  RESERVATION_EXPIRED: {
    detail: ReservationExpired.refusal.advice,
    instance: '/payment',
    members: ofOrder,
  },
  PAYMENT_UNSETTLED: {
    detail: PaymentUnsettled.refusal.advice,
    instance: '/retrypayment',
    members: ofPayment,
  },
  MODIFICATION_PENDING: {
    detail: ModificationPending.refusal.advice,
    instance: ORDER,
    members: ofOrder,
  },
  MODIFICATION_REJECTED: {
    detail: ModificationRejected.refusal.advice,
    instance: ORDER,
    members: { ...ofOrder, reason: 'OUT_OF_STOCK' },
  },
  PRODUCT_EXISTS: {
    detail: 'There is a product prod-mug already; change it, or choose another id.',
    instance: '/product',
    members: ofProduct,
  },
  CONCURRENT_UPDATE: {
    detail: 'The order was changed meanwhile; look at it and try again.',
    instance: ORDER,
  },
  PRECONDITION_FAILED: {
    detail: 'The order has changed since you read it; read it again and decide anew.',
    instance: ORDER,
    members: { ...ofOrder, version: 4 },
  },
  IDEMPOTENCY_CONFLICT: {
    detail: IdempotencyConflict.refusal.advice,
  },
  BAD_QUANTITY: {
    detail: BadQuantity.refusal.advice,
    members: ofOrder,
  },
  TOO_MANY_PIECES: {
    detail: 'One order may have at most 10 of prod-mug; order fewer.',
    members: { ...ofOrder, ...ofProduct, maxPerOrder: 10 },
  },
  OUT_OF_STOCK: {
    detail: 'Only 3 of prod-mug can be ordered; order fewer.',
    members: { ...ofOrder, ...ofProduct, available: 3 },
  },
  UNKNOWN_PRODUCT: {
    detail: UnknownProduct.refusal.advice,
    members: ofOrder,
  },
  PRODUCT_UNAVAILABLE: {
    detail: 'prod-retired is not on sale at the moment; leave it out.',
    instance: ORDER,
    members: { productId: 'prod-retired' },
  },
  MIXED_CURRENCIES: {
    detail: MixedCurrencies.refusal.advice,
    members: ofOrder,
  },
  ORDER_FAILED: {
    detail: OrderFailed.refusal.advice,
    members: { ...ofOrder, reason: 'PRODUCT_UNAVAILABLE' },
  },
  PAYMENT_DECLINED: {
    detail: PaymentDeclined.refusal.advice,
    instance: '/payment',
    members: { ...ofPayment, paymentStatus: 'DECLINED', reason: 'INSUFFICIENT_FUNDS' },
  },
  PAYMENT_FAILED: {
    detail: PaymentFailed.refusal.advice,
    instance: '/payment',
    members: { ...ofPayment, paymentStatus: 'FAILED', reason: 'PAYMENT_UNCONFIRMED' },
  },
  TEMPORARILY_UNAVAILABLE: { detail: 'The database did not answer; try again.' },
  OVERLOADED: { detail: DatabaseThrottled.refusal.advice },
  INVENTORY_UNAVAILABLE: { detail: InventoryUnavailable.refusal.advice, instance: ORDER },
  INVENTORY_TIMEOUT: {
    detail: InventoryTimeout.refusal.advice,
    instance: ORDER,
  },
  INVENTORY_RESTARTING: { detail: InventoryRestarting.refusal.advice, instance: ORDER },
  LOCK_CONTENTION: {
    detail: LockContention.refusal.advice,
    instance: '/product/prod-mug/stock',
  },
  CACHE_TIMEOUT: { detail: CacheTimeout.refusal.advice, instance: ORDER },
  INTERNAL_ERROR: {
    detail: INTERNAL_ERROR.advice,
  },
};

/** @throws Error if the code has no example. */
export function problemExample(code: string): Problem {
  const example = EXAMPLES[code];
  if (example === undefined) throw new Error(`The code ${code} has no example.`);
  const { detail, instance = '/order', members } = example;
  return problem(problemTypeOf(code), detail, instance, members);
}
