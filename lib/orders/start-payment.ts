import { newPayment } from '../payments/payment.ts';
import { toTimestamp } from '../platform/clock.ts';
import { assertNever, IllegalTransition } from '../platform/errors.ts';
import { moveOrder } from './moves.ts';
import type { Order, PendingPaymentOrder } from './order.ts';
import { currentPayment, paymentOf, withPayment } from './order-payments.ts';
import { moveNow, type OrderService, ownedOrder, retryOnConflict } from './order-service.ts';
import { methodIdFor, paymentIdFor } from './payment-id.ts';
import type { PaymentInOrder } from './payment-outcomes.ts';
import { ReservationExpired } from './refusals.ts';
import { tryNow } from './saga-client.ts';
import { signalWait } from './wait.ts';

export interface StartPaymentRequest {
  readonly userId: string;
  readonly orderId: string;
  readonly methodToken: string;
  readonly idempotencyKey: string | undefined;
}

/**
 * `PENDING_PAYMENT` → `PAYMENT_IN_PROGRESS` with a new payment, in one write; then signals the
 * saga. An order has one open payment: while it is open, every further call returns it.
 * @throws NotFound, ReservationExpired, IllegalTransition
 */
export function startPayment(
  service: OrderService<'saga'>,
  request: StartPaymentRequest,
): Promise<PaymentInOrder> {
  return retryOnConflict(service, async () => {
    const order = await ownedOrder(service, request.orderId, request.userId);
    const paymentId = paymentIdOf('POST /payment', request, order);
    const repeated = paymentOf(order, paymentId);
    if (repeated !== undefined) return { order, payment: repeated };
    switch (order.status) {
      case 'PENDING_PAYMENT':
        return begin(service, order, request, paymentId);
      case 'PAYMENT_IN_PROGRESS':
        return { order, payment: currentPayment(order) };
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

/** Id of the payment that the request makes, or has made. */
export function paymentIdOf(route: string, request: StartPaymentRequest, order: Order): string {
  const { orderId } = order;
  return request.idempotencyKey === undefined
    ? paymentIdFor(orderId, orderId, String(nextAttempt(order)))
    : paymentIdFor(orderId, request.userId, route, request.idempotencyKey);
}

export function nextAttempt({ payments }: Order): number {
  return payments.length + 1;
}

/** Keeps the method's token until the payment settles, at most for as long as stock may be reserved and held for it. */
export function keepMethod(
  service: OrderService,
  methodId: string,
  { methodToken }: StartPaymentRequest,
): Promise<void> {
  const { clock, config, deadlines } = service;
  const untilMs = clock.now() + deadlines.reservingMs + config.MAX_HOLD_SECONDS * 1000;
  return service.orders.keepMethod(methodId, methodToken, untilMs);
}

async function begin(
  service: OrderService<'saga'>,
  order: PendingPaymentOrder,
  request: StartPaymentRequest,
  paymentId: string,
): Promise<PaymentInOrder> {
  const nowMs = service.clock.now();
  if (nowMs >= order.reservationExpiresAtMs) {
    throw new ReservationExpired(ReservationExpired.refusal.advice, {
      details: { orderId: order.orderId },
    });
  }
  const methodId = methodIdFor(paymentId, request.methodToken);
  const payment = newPayment({
    paymentId,
    attempt: nextAttempt(order),
    revision: order.heldRevision,
    amount: order.total,
    createdAtMs: nowMs,
    methodId,
    at: toTimestamp(nowMs),
  });
  const next = moveOrder(
    order,
    'PAYMENT_IN_PROGRESS',
    {
      ...withPayment(order, payment),
      total: order.total,
      heldRevision: order.heldRevision,
      reservationExpiresAtMs: order.reservationExpiresAtMs,
      dueAtMs: nowMs + service.deadlines.dispatchMs,
    },
    moveNow(service, 'PAYMENT_STARTED', 'user'),
  );
  await keepMethod(service, methodId, request);
  await service.orders.save(next, order);
  await tryNow(order, signalWait(service, order.orderId));
  return { order: next, payment };
}
