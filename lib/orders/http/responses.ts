import { RESERVATION_REFUSALS } from '../../inventory/refusals.ts';
import type { Payment } from '../../payments/payment.ts';
import type { RefusalClass } from '../../platform/errors.ts';
import { etagOf } from '../../platform/http/etag.ts';
import type { Order } from '../order.ts';
import type { OrderService } from '../order-service.ts';
import {
  BadQuantity,
  ModificationRejected,
  OrderFailed,
  PaymentDeclined,
  PaymentFailed,
} from '../refusals.ts';
import { codeOf, toOrderDocument, toPaymentDocument } from './order-view.ts';

/** Pause before the next look at an order or payment that is still under way. */
const LOOK_AGAIN = { 'Retry-After': '1' } as const;

/** Refusals that an INVALID order may name as its reason. */
const REASONS: readonly RefusalClass[] = [BadQuantity, ...RESERVATION_REFUSALS];

/** True once the stock of the order is decided: there is nothing more to wait for. */
export function isStockDecided(order: Order): boolean {
  return order.status !== 'CREATED' && order.status !== 'PENDING_RESERVING_STOCK';
}

/**
 * The answer to placing or retrying an order: 201 if it can be paid, else 202.
 * @throws the refusal named by the reason of an INVALID order (422); OrderFailed (503).
 */
export function orderAnswer(service: OrderService, order: Order) {
  const { orderId } = order;
  if (order.status === 'INVALID') {
    const Reason = REASONS.find(({ refusal }) => refusal.code === order.reason);
    if (Reason === undefined) throw new Error(`No refusal has the code ${order.reason}.`);
    throw new Reason(Reason.refusal.advice ?? 'Place another order.', { details: { orderId } });
  }
  if (order.status === 'ORDER_FAILED') {
    throw new OrderFailed(OrderFailed.refusal.advice, {
      details: { orderId, reason: order.reason },
    });
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

/**
 * True if the order of an earlier answer has failed since. The same request with the same key then
 * runs the order again instead of repeating that answer.
 */
export async function hasFailed(service: OrderService, body: unknown): Promise<boolean> {
  const { orderId } = body as { readonly orderId?: string };
  const order = orderId === undefined ? undefined : await service.orders.getOrder(orderId);
  return order?.status === 'ORDER_FAILED';
}

/** True once a modification has its outcome. */
export function isModificationDecided(order: Order): boolean {
  return order.status !== 'PENDING_RESERVING_STOCK' && order.modification?.status !== 'PENDING';
}

/**
 * The answer to modifying an order: 202 while it is not decided, else 200 with the order.
 * @throws ModificationRejected (409); OrderFailed (503) if the order failed meanwhile.
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
    throw new ModificationRejected(ModificationRejected.refusal.advice, {
      details: { orderId, reason: modification.code },
    });
  }
  return { status: 200, headers, body };
}

/** The order as it is now. */
export function currentOrderAnswer(service: OrderService, order: Order) {
  return {
    status: 200,
    headers: { ETag: etagOf(order) },
    body: toOrderDocument(service, order),
  };
}

/**
 * The answer to paying: 200 if the money is captured and the order is done, 202 while the payment is open.
 * @throws PaymentDeclined, PaymentFailed (402)
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
    throw new PaymentDeclined(PaymentDeclined.refusal.advice, { details });
  }
  throw new PaymentFailed(PaymentFailed.refusal.advice, { details });
}
