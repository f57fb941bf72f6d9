import type { Order } from '../../lib/orders/order.ts';
import type { Payment } from '../../lib/payments/payment.ts';
import { assertNever } from '../../lib/platform/errors.ts';
import { chargeAmount, chargeStatus } from './checks/charge.ts';
import { orderDue } from './checks/due.ts';
import { orderHistory, paymentHistory } from './checks/history.ts';
import { orderPayment, orderTotal, paidOrder, unknownCharges } from './checks/order-money.ts';
import {
  heldForNothing,
  heldForPayment,
  paidForSoldStock,
  soldToPaidOrder,
} from './checks/order-stock.ts';
import { keptMoney, openPayment } from './checks/payment-state.ts';
import { orderOfReservation, overdueHold } from './checks/reservation-state.ts';
import { type Disagreement, mendOfUnreadable } from './disagreement.ts';
import type { Circumstances, Facts, StoredOrder, Subject } from './facts.ts';

/**
 * Compares one item with all facts of its order. An item that is gone by now is in order. An item that cannot be
 * parsed is a disagreement too, and does not keep the others from being judged.
 */
export function judge(subject: Subject, facts: Facts, now: Circumstances): Disagreement[] {
  const other = itemOfOtherVersion(subject, facts);
  if (other !== undefined) return other;
  try {
    switch (subject.kind) {
      case 'ORDER':
        return facts.order === undefined
          ? []
          : orUnreadable(subject, facts.order, judgeOrder(facts.order, facts, now));
      case 'RESERVATION': {
        const { reservation, reservationProblem, isReservationOtherVersion = false } = facts;
        if (reservation === undefined) return [];
        // The service could apply no remedy to it.
        if (reservationProblem !== undefined)
          return [unreadable(subject, reservationProblem, isReservationOtherVersion)];
        return [...orderOfReservation(reservation, facts), ...overdueHold(reservation, facts, now)];
      }
      default:
        return assertNever(subject);
    }
  } catch (error) {
    return [unreadable(subject, error)];
  }
}

/**
 * Finding about an order of another version. It is not judged, nor is anything by it: a remedy might be wrong, or
 * write the item back as one of this version.
 * @returns undefined if this version may judge the subject.
 */
function itemOfOtherVersion(subject: Subject, { order }: Facts): Disagreement[] | undefined {
  if (subject.kind === 'RESERVATION' || order?.isOtherVersion !== true) return undefined;
  return [unreadable(subject, order.problem, true)];
}

function judgeOrder(stored: StoredOrder, facts: Facts, now: Circumstances): Disagreement[] {
  const order = stored.item;
  return [
    ...orderHistory(order),
    ...orderTotal(order),
    ...orderDue(stored, now),
    ...orderPayment(order),
    ...paidOrder(order),
    ...unknownCharges(order, facts),
    ...judgeStockOfOrder(order, facts, now),
    ...order.payments.flatMap((payment) => judgePayment(payment, facts)),
  ];
}

/** An unreadable reservation is a finding of its own, and proves nothing about its order. */
function judgeStockOfOrder(order: Order, facts: Facts, now: Circumstances): Disagreement[] {
  if (facts.reservationProblem !== undefined) return [];
  return [
    ...soldToPaidOrder(order, facts),
    ...paidForSoldStock(order, facts),
    ...heldForPayment(order, facts, now),
    ...heldForNothing(order, facts),
  ];
}

/** Compares one payment of the order with all facts. */
export function judgePayment(payment: Payment, facts: Facts): Disagreement[] {
  return [
    ...paymentHistory(payment, facts),
    ...openPayment(payment, facts),
    ...keptMoney(payment, facts),
    ...chargeStatus(payment, facts),
    ...chargeAmount(payment, facts),
  ];
}

/** An item that the service refuses is a disagreement, even if nothing else is wrong with it. */
function orUnreadable(
  subject: Subject,
  { problem }: StoredOrder,
  findings: Disagreement[],
): Disagreement[] {
  return problem === undefined || findings.length > 0 ? findings : [unreadable(subject, problem)];
}

function unreadable(subject: Subject, error: unknown, isOtherVersion = false): Disagreement {
  const { kind, ...ids } = subject;
  return {
    ...ids,
    check: 'unreadable',
    promise: 'P4',
    found: `a stored ${kind.toLowerCase()} that cannot be understood (${String(error)})`,
    expected: 'an item as the code writes it',
    mend: mendOfUnreadable(isOtherVersion),
  };
}
