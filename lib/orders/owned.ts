import type { Payment } from '../payments/payment.ts';
import { NotFound } from '../platform/errors.ts';
import { deriveId } from '../platform/ids.ts';
import type { Order } from './order.ts';
import type { OrderService } from './order-service.ts';

/**
 * Reads an order for its user; another user's order does not exist for the caller (P7).
 * @throws NotFound
 */
export async function ownedOrder(
  service: OrderService,
  orderId: string,
  userId: string,
): Promise<Order> {
  const order = await service.orders.getOrder(orderId);
  if (order?.userId !== userId) {
    throw new NotFound('You have no such order; check the id and the token you use.');
  }
  return order;
}

/** Digest of a keyed request, by which its repetition after a crash is recognised. */
export function requestDigest(
  userId: string,
  route: string,
  idempotencyKey: string | undefined,
): string | undefined {
  return idempotencyKey === undefined ? undefined : deriveId('req', userId, route, idempotencyKey);
}

/** @throws NotFound */
export async function ownedPayment(
  service: OrderService,
  paymentId: string,
  userId: string,
): Promise<Payment> {
  const payment = await service.payments.getPayment(paymentId);
  if (payment?.userId !== userId) {
    throw new NotFound('You have no such payment; check the id and the token you use.');
  }
  return payment;
}
