import { newPayment, type Payment } from '../payments/payment.ts';
import { toTimestamp } from '../platform/clock.ts';
import { assertNever, IdempotencyConflict, IllegalTransition } from '../platform/errors.ts';
import { deriveId } from '../platform/ids.ts';
import { moveOrder } from './moves.ts';
import type { Order, PendingPaymentOrder } from './order.ts';
import { moveNow, type OrderService, ownedOrder, retryOnConflict } from './order-service.ts';
import { requirePayment } from './payment-outcomes.ts';
import { ReservationExpired } from './refusals.ts';
import { tryNow } from './saga-client.ts';

export interface StartPaymentRequest {
  readonly userId: string;
  readonly orderId: string;
  readonly methodToken: string;
  readonly idempotencyKey: string | undefined;
}

/**
 * `PENDING_PAYMENT` → `PAYMENT_IN_PROGRESS` with a new payment, in one transaction; then signals the
 * saga. An order has one open payment: while it is open, every further call returns it.
 * @throws NotFound, ReservationExpired, IllegalTransition, IdempotencyConflict
 */
export function startPayment(
  service: OrderService<'saga'>,
  request: StartPaymentRequest,
): Promise<Payment> {
  return retryOnConflict(service, async () => {
    const order = await ownedOrder(service, request.orderId, request.userId);
    const paymentId = paymentIdOf('POST /payment', request, order);
    const repeated = await service.payments.getPayment(paymentId);
    if (repeated !== undefined) return sameRequestAgain(request, repeated);
    switch (order.status) {
      case 'PENDING_PAYMENT':
        return begin(service, order, request, paymentId);
      case 'PAYMENT_IN_PROGRESS':
        return requirePayment(service, order.paymentId);
      case 'CREATED':
      case 'PENDING_RESERVING_STOCK':
      case 'PAYMENT_DONE':
      case 'PAYMENT_FAILED':
      case 'ORDER_FAILED':
      case 'INVALID':
      case 'ORDER_CANCELLED':
        throw new IllegalTransition(WHY_NOT[order.status], {
          details: { orderId: order.orderId, orderStatus: order.status },
          retryAfterSeconds:
            order.status === 'CREATED' || order.status === 'PENDING_RESERVING_STOCK'
              ? 1
              : undefined,
        });
      default:
        return assertNever(order);
    }
  });
}

export const WHY_NOT = {
  CREATED: 'Stock is still being reserved; ask GET /order/{id} and pay when it is PENDING_PAYMENT.',
  PENDING_RESERVING_STOCK:
    'Stock is still being reserved; ask GET /order/{id} and pay when it is PENDING_PAYMENT.',
  PAYMENT_DONE: 'This order is paid; there is nothing left to pay.',
  PAYMENT_FAILED: 'The last payment failed and the stock was released; retry the payment instead.',
  ORDER_FAILED: 'This order could not be fulfilled; retry the order first.',
  INVALID: 'This order is invalid; place a new one.',
  ORDER_CANCELLED: 'This order was cancelled; place a new one.',
} as const;

export function paymentIdOf(route: string, request: StartPaymentRequest, order: Order): string {
  return request.idempotencyKey === undefined
    ? deriveId('pay', order.orderId, String(order.attempt + 1))
    : deriveId('pay', request.userId, route, request.idempotencyKey);
}

/** The id derives from the key: the request is repeated. */
export function sameRequestAgain(request: StartPaymentRequest, payment: Payment): Payment {
  if (payment.orderId !== request.orderId) {
    throw new IdempotencyConflict('This Idempotency-Key paid another order; use a new key.', {
      details: { orderId: payment.orderId },
    });
  }
  return payment;
}

async function begin(
  service: OrderService<'saga'>,
  order: PendingPaymentOrder,
  request: StartPaymentRequest,
  paymentId: string,
): Promise<Payment> {
  const nowMs = service.clock.now();
  if (nowMs >= order.reservationExpiresAtMs) {
    throw new ReservationExpired(ReservationExpired.refusal.advice, {
      details: { orderId: order.orderId },
    });
  }
  const next = moveOrder(
    order,
    'PAYMENT_IN_PROGRESS',
    {
      total: order.total,
      paymentId,
      attempt: order.attempt + 1,
      heldRevision: order.heldRevision,
      reservationExpiresAtMs: order.reservationExpiresAtMs,
      waitToken: order.waitToken,
      dueAtMs: nowMs + service.deadlines.dispatchMs,
    },
    moveNow(service, 'PAYMENT_STARTED', request.userId),
  );
  const payment = newPayment({
    paymentId,
    orderId: order.orderId,
    userId: order.userId,
    correlationId: order.correlationId,
    attempt: next.attempt,
    revision: order.heldRevision,
    amount: order.total,
    createdAtMs: nowMs,
    methodToken: request.methodToken,
    at: toTimestamp(nowMs),
  });
  await service.orders.saveWithPayment(
    { next, previous: order },
    { next: payment, previous: undefined },
  );
  await tryNow(order, service.saga.signal(order.waitToken));
  return payment;
}
