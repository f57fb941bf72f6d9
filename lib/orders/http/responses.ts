import type { Payment } from '../../payments/payment.ts';
import { DomainError, type DomainErrorOptions } from '../../platform/errors.ts';
import type { Order } from '../order.ts';
import { QUANTITY_RANGE } from '../order-items.ts';
import type { OrderService } from '../order-service.ts';
import { codeOf, toOrderDocument, toPaymentDocument } from './order-view.ts';

const RETRY_AFTER_SECONDS = 30;
/** When there may be more to see of what is under way. */
const LOOK_AGAIN = { 'Retry-After': '1' } as const;

/** An order or a payment that did not come about, as a problem with its own code. */
class NotFulfilled extends DomainError {
  override readonly name = 'NotFulfilled';
  readonly code: string;
  constructor(code: string, message: string, options: DomainErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether the stock of the order is decided, so that there is nothing more to wait for. */
export function isStockDecided(order: Order): boolean {
  return order.status !== 'CREATED' && order.status !== 'PENDING_RESERVING_STOCK';
}

/**
 * How placing (or retrying) an order is answered: 201 when it is ready to be paid, else 202.
 * @throws NotFulfilled for INVALID (422 with the reason as code) and ORDER_FAILED (503).
 */
export function orderAnswer(service: OrderService, order: Order) {
  const { orderId } = order;
  if (order.status === 'INVALID') {
    throw new NotFulfilled(order.reason, ADVICE[order.reason] ?? 'Place another order.', {
      details: { orderId },
    });
  }
  if (order.status === 'ORDER_FAILED') {
    throw new NotFulfilled(
      'ORDER_FAILED',
      'Retry it later with POST /order/retryorder/{id}; where it was placed with an Idempotency-Key, the same request does so too.',
      { details: { orderId, reason: order.reason }, retryAfterSeconds: RETRY_AFTER_SECONDS },
    );
  }
  return {
    status: order.status === 'PENDING_PAYMENT' ? 201 : 202,
    headers: {
      Location: `/order/${orderId}`,
      ETag: etagOf(order),
      ...(isStockDecided(order) ? {} : LOOK_AGAIN),
    },
    body: toOrderDocument(service, order),
  };
}

const ADVICE: Readonly<Record<string, string>> = {
  BAD_QUANTITY: `Every quantity must be ${QUANTITY_RANGE}; place the order again.`,
  OUT_OF_STOCK: 'There is not enough in stock; see GET /product and order fewer.',
  UNKNOWN_PRODUCT: 'A product of the order does not exist; see GET /product.',
  MIXED_CURRENCIES: 'The products are priced in different currencies; order them separately.',
};

/**
 * Whether the order of an earlier answer has failed since: the same request with the same key then
 * runs it again instead of repeating that answer.
 */
export async function hasFailed(service: OrderService, body: unknown): Promise<boolean> {
  const { orderId } = body as { readonly orderId?: string };
  const order = orderId === undefined ? undefined : await service.orders.getOrder(orderId);
  return order?.status === 'ORDER_FAILED';
}

/** Whether a modification has its outcome. */
export function isModificationDecided(order: Order): boolean {
  return order.status !== 'PENDING_RESERVING_STOCK' && order.modification?.status !== 'PENDING';
}

/**
 * How modifying is answered: 202 while it is not decided, else 200 with the order.
 * @throws NotFulfilled (409) where it was refused; 503 where the order failed meanwhile.
 */
export function modificationAnswer(service: OrderService, order: Order) {
  const { orderId, modification } = order;
  const headers = { ETag: etagOf(order) };
  const body = toOrderDocument(service, order);
  if (!isModificationDecided(order)) {
    return { status: 202, headers: { ...headers, ...LOOK_AGAIN }, body };
  }
  if (order.status === 'ORDER_FAILED') return orderAnswer(service, order);
  if (modification?.status === 'REJECTED') {
    throw new NotFulfilled(
      'MODIFICATION_REJECTED',
      'The change was not made. Look at the order for what it is now and what can be done.',
      { details: { orderId, reason: modification.code } },
    );
  }
  return { status: 200, headers, body };
}

/** The order as it now is. */
export function currentOrderAnswer(service: OrderService, order: Order) {
  return {
    status: 200,
    headers: { ETag: etagOf(order) },
    body: toOrderDocument(service, order),
  };
}

export function etagOf(order: Order): string {
  return `"${String(order.version)}"`;
}

/**
 * How paying is answered: 200 when the money is captured and the order done, 202 while it is open.
 * @throws NotFulfilled (402) where the payment ended without money.
 */
export function paymentAnswer(payment: Payment, isUnderWay: boolean) {
  const answer = {
    headers: { Location: `/payment/${payment.paymentId}` },
    body: toPaymentDocument(payment),
  };
  if (isUnderWay) {
    return { ...answer, status: 202, headers: { ...answer.headers, ...LOOK_AGAIN } };
  }
  if (payment.status === 'CAPTURED' && payment.refundOwed === undefined) {
    return { ...answer, status: 200 };
  }
  const { orderId, paymentId } = payment;
  const details = { orderId, paymentId, paymentStatus: payment.status, reason: codeOf(payment) };
  if (payment.status === 'DECLINED') {
    throw new NotFulfilled(
      'PAYMENT_DECLINED',
      'Nothing was charged and the stock was released. Look at the order for what can be done now.',
      { details },
    );
  }
  throw new NotFulfilled(
    'PAYMENT_FAILED',
    'No money is kept and the stock was released. Look at the order for what can be done now.',
    { details },
  );
}
