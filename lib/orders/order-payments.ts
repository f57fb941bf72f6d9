import type { Money } from '../money.ts';
import type { Payment } from '../payments/payment.ts';
import { ImpossibleState } from '../platform/errors.ts';
import type { Order, Payments } from './order.ts';

/** The latest payment; undefined before the first one was started. */
export function currentPayment(order: { readonly payments: Payments }): Payment;
export function currentPayment(order: Pick<Order, 'payments'>): Payment | undefined;
export function currentPayment({ payments }: Pick<Order, 'payments'>): Payment | undefined {
  return payments.at(-1);
}

/** The order's payment with this id; undefined if it has none. */
export function paymentOf(
  { payments }: Pick<Order, 'payments'>,
  paymentId: string,
): Payment | undefined {
  return payments.find((payment) => payment.paymentId === paymentId);
}

/** True if the order is being paid with this payment, or was last. */
export function isCurrentPayment(order: Pick<Order, 'payments'>, paymentId: string): boolean {
  return currentPayment(order)?.paymentId === paymentId;
}

/** Names a payment, and the order that holds it. */
export interface PaymentKey {
  readonly orderId: string;
  readonly paymentId: string;
}

export function keyOfCurrent(order: {
  readonly orderId: string;
  readonly payments: Payments;
}): PaymentKey {
  return { orderId: order.orderId, paymentId: currentPayment(order).paymentId };
}

/** The order's payments after a change of one of them; a payment with a new id becomes the current one. */
export function withPayment(
  { payments }: Pick<Order, 'payments'>,
  changed: Payment,
): { readonly payments: Payments } {
  const next = payments.map((one) => (one.paymentId === changed.paymentId ? changed : one));
  const isNew = payments.every((one) => one.paymentId !== changed.paymentId);
  const [first = changed, ...others] = isNew ? [...next, changed] : next;
  return { payments: [first, ...others] };
}

export interface Refund {
  readonly paymentId: string;
  readonly amount: Money;
  /** RFC 3339 UTC. */
  readonly at: string;
}

/** The refunds that were made, in the order of the payments. */
export function refundsOf({ payments }: Pick<Order, 'payments'>): Refund[] {
  return payments.flatMap(({ paymentId, amount, status, history }) => {
    const at = history.at(-1)?.at;
    return status === 'REFUNDED' && at !== undefined ? [{ paymentId, amount, at }] : [];
  });
}

/**
 * P3: the current payment of a paid order is captured, and its refund is not owed. Checked before each write and
 * after each read.
 * @throws ImpossibleState
 */
export function assertPaidMeansYours(order: Order): void {
  if (order.status !== 'PAYMENT_DONE') return;
  const payment = currentPayment(order);
  if (payment.status === 'CAPTURED' && payment.refundOwed === undefined) return;
  throw new ImpossibleState(`${order.orderId} is PAYMENT_DONE; its payment is ${payment.status}.`);
}
