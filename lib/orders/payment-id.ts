import { PAYMENT_ID } from '../limits.ts';
import { deriveId } from '../platform/ids.ts';

const ORDER_PREFIX = 'ord_';

/**
 * Derives the id of a payment: that of its order is in it, so it leads to the order's item.
 * @param parts of the request; a repeated request derives the same id.
 */
export function paymentIdFor(orderId: string, ...parts: readonly string[]): string {
  return deriveId(`pay_${orderId.slice(ORDER_PREFIX.length)}`, ...parts);
}

/** Derives the id under which the token of a payment's method is kept: one for each token that was sent for it. */
export function methodIdFor(paymentId: string, methodToken: string): string {
  return deriveId('met', paymentId, methodToken);
}

/** The order that the payment is of; undefined if no payment can have this id. */
export function orderIdOfPayment(paymentId: string): string | undefined {
  const digest = PAYMENT_ID.exec(paymentId)?.groups?.['orderDigest'];
  return digest === undefined ? undefined : ORDER_PREFIX + digest;
}
