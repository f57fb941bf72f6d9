import type { Money } from '../../../lib/money.ts';
import type { Order } from '../../../lib/orders/order.ts';
import { totalOf } from '../../../lib/orders/order-items.ts';
import { currentPayment, paymentOf } from '../../../lib/orders/order-payments.ts';
import type { Payment } from '../../../lib/payments/payment.ts';
import type { Disagreement } from '../disagreement.ts';
import type { Facts } from '../facts.ts';

/** The total that the user was shown is the sum of the lines. */
export function orderTotal(order: Order): Disagreement[] {
  const { orderId, items, total } = order;
  const sum = totalOf(items);
  if (sameMoney(total, sum)) return [];
  return [
    {
      check: 'order-total',
      promise: 'P2',
      orderId,
      found: `a total of ${inWords(total)}, lines of ${inWords(sum)}`,
      expected: 'a total that is the sum of the lines',
      mend: 'a person: find out which of the two the user has accepted',
    },
  ];
}

/** The payment that an order is being paid or was paid with is there, and asks for the order's total. */
export function orderPayment(order: Order): Disagreement[] {
  const { orderId, total } = order;
  const payment = currentPayment(order);
  if (!isToBeCharged(order)) return [];
  if (payment === undefined) {
    return [
      {
        check: 'payment-missing',
        promise: 'P4',
        orderId,
        found: `${order.status}, and its payment is not stored`,
        expected: 'the payment in the order',
        mend: 'a person: restore the order from a backup of the table',
      },
    ];
  }
  const { paymentId } = payment;
  if (sameMoney(payment.amount, total)) return [];
  return [
    {
      check: 'payment-amount',
      promise: 'P2',
      orderId,
      paymentId,
      found: `a payment of ${inWords(payment.amount)} for an order of ${inWords(total)}`,
      expected: 'a payment of what the order costs',
      mend: 'a person: find out which of the two the user has accepted, and refund the difference',
    },
  ];
}

/**
 * True if the payment must match the order's total. In any other status the items may have changed since the
 * payment.
 */
function isToBeCharged(order: Order): boolean {
  return (
    order.status === 'PAYMENT_IN_PROGRESS' ||
    order.status === 'PAYMENT_DONE' ||
    (order.status === 'PENDING_RESERVING_STOCK' && order.purpose === 'PAYMENT_RETRY')
  );
}

/** P3: an order that is paid has its money and keeps it. */
export function paidOrder(order: Order): Disagreement[] {
  const { orderId } = order;
  const payment = currentPayment(order);
  // A payment that is missing is a finding of `orderPayment`.
  if (order.status !== 'PAYMENT_DONE' || payment === undefined || isKept(payment)) return [];
  const { paymentId } = payment;
  return [
    {
      check: 'paid-order',
      promise: 'P3',
      orderId,
      paymentId,
      found: `PAYMENT_DONE, and its payment is ${statusOf(payment)}`,
      expected: 'a captured payment whose refund is not owed',
      mend: 'a person: ask the gateway what it has, then ship or refund',
    },
  ];
}

/** True if the payment's money stays with the shop. */
export function isKept(payment: Payment): boolean {
  return payment.status === 'CAPTURED' && payment.refundOwed === undefined;
}

export function statusOf(payment: Payment): string {
  return payment.status === 'CAPTURED' && payment.refundOwed !== undefined
    ? 'CAPTURED, its refund owed'
    : payment.status;
}

/** P2: the gateway's books hold no charge of this order that no payment knows. */
export function unknownCharges(order: Order, facts: Facts): Disagreement[] {
  const { orderId } = order;
  return (facts.charges ?? [])
    .filter(({ paymentId }) => paymentOf(order, paymentId) === undefined)
    .map(({ paymentId, status, amount }) => ({
      check: 'charge-unknown',
      promise: 'P2',
      orderId,
      paymentId,
      found: `the gateway has a charge of ${inWords(amount)}, ${status}, that no payment of the order knows`,
      expected: 'only charges of payments that are stored',
      mend: 'a person: restore the payment if it was lost, otherwise void or refund it at the gateway',
    }));
}

export function sameMoney(left: Money | undefined, right: Money | undefined): boolean {
  return left?.amount === right?.amount && left?.currency === right?.currency;
}

/** Formats an amount: `1299 EUR cents`, or `nothing`. */
export function inWords(money: Money | undefined): string {
  return money === undefined ? 'nothing' : `${String(money.amount)} ${money.currency} cents`;
}
