import { assertNever } from '../../platform/errors.ts';
import type { Order, PendingPaymentOrder } from '../order.ts';
import type { OrderService } from '../order-service.ts';
import { ReservationExpired } from '../refusals.ts';
import { OrderModified, OrderSettled, PaymentStarted, StillAwaitingPayment } from './signals.ts';

/** Branch of an order that is neither waited for nor charged. */
export function branchByStatus(order: Exclude<Order, PendingPaymentOrder>): Error {
  switch (order.status) {
    case 'PAYMENT_IN_PROGRESS':
    case 'PAYMENT_DONE':
      return new PaymentStarted('The user has paid in time.');
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
      return new OrderModified('The order is to be reserved again.');
    case 'PAYMENT_FAILED':
    case 'ORDER_FAILED':
    case 'INVALID':
    case 'ORDER_CANCELLED':
      return new OrderSettled(`The order is ${order.status}.`);
    default:
      return assertNever(order);
  }
}

/** Branch of an order that still waits for its user when its token is signalled. */
export function branchWhilePending(service: OrderService, order: PendingPaymentOrder): Error {
  return isExpired(service, order)
    ? new ReservationExpired('The reservation has run out.')
    : new StillAwaitingPayment('The user has not decided yet.');
}

export function isExpired(service: OrderService, order: PendingPaymentOrder): boolean {
  const nowMs = service.clock.now() + service.deadlines.reservationSkewMs;
  return nowMs >= order.reservationExpiresAtMs;
}
