import { currentPayment, isCurrentPayment } from '../../../lib/orders/order-payments.ts';
import { isOpen, type Payment } from '../../../lib/payments/payment.ts';
import type { Disagreement } from '../disagreement.ts';
import type { Facts } from '../facts.ts';
import { inWords, isKept } from './order-money.ts';

/** P5: a payment is open only while its order is being paid with it; otherwise nobody would settle it. */
export function openPayment(payment: Payment, facts: Facts): Disagreement[] {
  if (facts.order === undefined || !isOpen(payment) || isBeingPaidWith(payment, facts)) return [];
  const { orderId } = facts;
  const { paymentId, status } = payment;
  return [
    {
      check: 'payment-open',
      promise: 'P5',
      orderId,
      paymentId,
      found: `${status}, and its order is ${facts.order.item.status}`,
      expected: 'an open payment is what its order is being paid with',
      ...(isSoldTo(payment, facts)
        ? { mend: 'a person: its stock is sold; ask the gateway what it has, then ship or refund' }
        : {
            mend: 'give it up: it is voided at the gateway, and refunded if that is too late',
            remedy: { kind: 'GIVE_UP_PAYMENT', key: { orderId, paymentId } },
          }),
    },
  ];
}

/** P2: only the payment that its order is paid with, or is being paid with, keeps money. */
export function keptMoney(payment: Payment, facts: Facts): Disagreement[] {
  if (facts.order === undefined || !isKept(payment)) return [];
  const { orderId } = facts;
  const { paymentId, amount } = payment;
  const order = facts.order.item;
  const current = currentPayment(order)?.paymentId;
  const isPaidWith = order.status === 'PAYMENT_DONE' && current === paymentId;
  if (isPaidWith || isBeingPaidWith(payment, facts)) return [];
  const otherwise = current === paymentId ? '' : `, paid with ${current ?? 'nothing'}`;
  return [
    {
      check: 'money-kept',
      promise: 'P2',
      orderId,
      paymentId,
      found: `${inWords(amount)} captured, no refund owed, and the order is ${order.status}${otherwise}`,
      expected: 'what was captured for anything but the order as it is, is owed back',
      ...(isSoldTo(payment, facts)
        ? { mend: 'a person: its stock is sold; ship, or refund and correct the counters' }
        : { mend: 'owe its refund', remedy: { kind: 'OWE_REFUND', key: { orderId, paymentId } } }),
    },
  ];
}

function isBeingPaidWith({ paymentId }: Payment, { order }: Facts): boolean {
  const by = order?.item;
  if (by === undefined || !isCurrentPayment(by, paymentId)) return false;
  return (
    by.status === 'PAYMENT_IN_PROGRESS' ||
    (by.status === 'PENDING_RESERVING_STOCK' && by.purpose === 'PAYMENT_RETRY')
  );
}

/** True if the order counts as paid with this payment, or its stock is sold. Only a person gives such money back. */
export function isSoldTo({ paymentId }: Payment, { order, reservation }: Facts): boolean {
  const isPaidWith =
    order?.item.status === 'PAYMENT_DONE' && isCurrentPayment(order.item, paymentId);
  const isSold = reservation?.status === 'CONFIRMED' && reservation.paymentId === paymentId;
  return isPaidWith || isSold;
}
