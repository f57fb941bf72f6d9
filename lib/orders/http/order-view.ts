import { MAX_MODIFICATIONS_PER_ORDER, MAX_USER_RUNS_PER_ORDER } from '../../limits.ts';
import type { Payment } from '../../payments/payment.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { LEGAL_MOVES } from '../moves.ts';
import type { Order, OrderStatus } from '../order.ts';
import type { OrderService } from '../order-service.ts';
import type { OrderDocument, PaymentDocument } from './response-schemas.ts';

/** The order as the API shows it; absent values are `null`. */
export function toOrderDocument(service: OrderService, order: Order): OrderDocument {
  const isPayable =
    order.status === 'PENDING_PAYMENT' && service.clock.now() < order.reservationExpiresAtMs;
  const paymentUrl = service.config.PAYMENT_PAGE_URL.replace('{orderId}', order.orderId);
  return {
    orderId: order.orderId,
    status: order.status,
    reason: 'reason' in order ? order.reason : null,
    version: order.version,
    items: order.items.map(({ productId, quantity, unitPrice }) => ({
      productId,
      quantity,
      unitPrice: unitPrice ?? null,
    })),
    total: order.total ?? null,
    reservationExpiresAt:
      'reservationExpiresAtMs' in order ? toTimestamp(order.reservationExpiresAtMs) : null,
    paymentUrl: isPayable ? paymentUrl : null,
    paymentId: order.paymentId ?? null,
    modification:
      order.modification === undefined
        ? null
        : {
            status: order.modification.status,
            code: 'code' in order.modification ? order.modification.code : null,
          },
    refunds: [...order.refunds],
    history: [...order.history],
    createdAt: toTimestamp(order.createdAtMs),
    links: linksOf(order, isPayable),
  };
}

/** The calls that the order's present status allows. */
function linksOf(order: Order, isPayable: boolean): OrderDocument['links'] {
  const { orderId, paymentId, status } = order;
  const isModifiable =
    isPayable ||
    status === 'PAYMENT_FAILED' ||
    (status === 'PAYMENT_IN_PROGRESS' && order.modification?.status !== 'PENDING');
  const mayChange = isModifiable && order.modifications < MAX_MODIFICATIONS_PER_ORDER;
  const allowed: readonly OrderStatus[] = LEGAL_MOVES[status];
  const mayRunAgain = order.run < MAX_USER_RUNS_PER_ORDER;
  return {
    self: link('GET', `/order/${orderId}`),
    ...(isPayable ? { pay: link('POST', '/payment') } : {}),
    ...(mayChange ? { modify: link('PUT', `/order/${orderId}`) } : {}),
    ...(allowed.includes('ORDER_CANCELLED')
      ? { cancel: link('POST', `/order/cancelorder/${orderId}`) }
      : {}),
    ...(status === 'ORDER_FAILED' && mayRunAgain
      ? { retryOrder: link('POST', `/order/retryorder/${orderId}`) }
      : {}),
    ...(status === 'PAYMENT_FAILED' && mayRunAgain
      ? { retryPayment: link('POST', '/retrypayment') }
      : {}),
    ...(paymentId === undefined ? {} : { payment: link('GET', `/payment/${paymentId}`) }),
  };
}

/** The payment as the API shows it, without its method. */
export function toPaymentDocument(payment: Payment): PaymentDocument {
  return {
    paymentId: payment.paymentId,
    orderId: payment.orderId,
    attempt: payment.attempt,
    amount: payment.amount,
    status: payment.status,
    code: codeOf(payment),
    history: [...payment.history],
    createdAt: toTimestamp(payment.createdAtMs),
    links: {
      self: link('GET', `/payment/${payment.paymentId}`),
      order: link('GET', `/order/${payment.orderId}`),
    },
  };
}

/** Reason for a payment's failure, void or refund; null if there is none. */
export function codeOf(payment: Payment): string | null {
  if (payment.status === 'CAPTURED') return payment.refundOwed?.reason ?? null;
  return 'code' in payment ? payment.code : null;
}

function link(method: string, href: string) {
  return { method, href };
}
