import type { Money } from '../../../lib/money.ts';
import type { Order } from '../../../lib/orders/order.ts';
import { totalOf } from '../../../lib/orders/order-items.ts';
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

/** The payment that an order names exists, belongs to the order and asks for the order's total. */
export function orderPayment(order: Order, facts: Facts): Disagreement[] {
  const { orderId, paymentId, total } = order;
  if (paymentId === undefined) return [];
  const payment = facts.payments.get(paymentId)?.item;
  if (payment?.orderId !== orderId) {
    return [
      {
        check: 'payment-missing',
        promise: 'P4',
        orderId,
        paymentId,
        found: `${order.status}, and its payment is not stored`,
        expected: 'the payment that the order names',
        mend: 'a person: restore the payment from a backup of the table',
      },
    ];
  }
  if (!isToBeCharged(order) || sameMoney(payment.amount, total)) return [];
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
export function paidOrder(order: Order, facts: Facts): Disagreement[] {
  if (order.status !== 'PAYMENT_DONE') return [];
  const { orderId, paymentId } = order;
  const payment = facts.payments.get(paymentId)?.item;
  // A payment that does not exist is a finding of `orderPayment`.
  if (payment?.orderId !== orderId || isKept(payment)) return [];
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

/** P2: every refund that the order shows was made. `refundOnOrder` checks the reverse. */
export function orderRefunds(order: Order, facts: Facts): Disagreement[] {
  const { orderId } = order;
  return order.refunds.flatMap(({ paymentId, amount }, index) => {
    const payment = facts.payments.get(paymentId)?.item;
    const isTwice = order.refunds.findIndex((one) => one.paymentId === paymentId) !== index;
    const isTrue = payment?.status === 'REFUNDED' && sameMoney(payment.amount, amount);
    if (isTrue && payment.orderId === orderId && !isTwice) return [];
    const is =
      payment === undefined ? 'not stored' : `${payment.status}, ${inWords(payment.amount)}`;
    return [
      {
        check: 'refund-shown',
        promise: 'P2',
        orderId,
        paymentId,
        found: `the order shows${isTwice ? ' once more' : ''} a refund of ${inWords(amount)}; the payment is ${is}`,
        expected: 'each refund of the order once, as its payment has it',
        mend: 'a person: ask the gateway what was refunded, and correct the order',
      } as const,
    ];
  });
}

/** P2: the gateway's books hold no charge of this order that no payment knows. */
export function unknownCharges(order: Order, facts: Facts): Disagreement[] {
  const { orderId } = order;
  return (facts.charges ?? [])
    .filter(({ paymentId }) => facts.payments.get(paymentId)?.item.orderId !== orderId)
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
