import type { Order } from '../../lib/orders/order.ts';
import { assertNever } from '../../lib/platform/errors.ts';
import { chargeAmount, chargeStatus } from './checks/charge.ts';
import { orderDue, paymentDue } from './checks/due.ts';
import { orderHistory, paymentHistory } from './checks/history.ts';
import {
  orderPayment,
  orderRefunds,
  orderTotal,
  paidOrder,
  unknownCharges,
} from './checks/order-money.ts';
import {
  heldForNothing,
  heldForPayment,
  paidForSoldStock,
  soldToPaidOrder,
} from './checks/order-stock.ts';
import {
  keptMoney,
  methodToken,
  openPayment,
  orderOfPayment,
  refundOnOrder,
} from './checks/payment-state.ts';
import { orderOfReservation, overdueHold } from './checks/reservation-state.ts';
import { type Disagreement, mendOfUnreadable } from './disagreement.ts';
import type { Circumstances, Facts, StoredOrder, StoredPayment, Subject } from './facts.ts';

/**
 * Compares one item with all facts of its order. An item that is gone by now is in order. An item that cannot be
 * parsed is a disagreement too, and does not keep the others from being judged.
 */
export function judge(subject: Subject, facts: Facts, now: Circumstances): Disagreement[] {
  const newer = newerItem(subject, facts);
  if (newer !== undefined) return newer;
  try {
    switch (subject.kind) {
      case 'ORDER':
        return facts.order === undefined
          ? []
          : orUnreadable(subject, facts.order, judgeOrder(facts.order, facts, now));
      case 'PAYMENT': {
        const payment = facts.payments.get(subject.paymentId);
        return payment === undefined
          ? []
          : orUnreadable(subject, payment, judgePayment(payment, facts, now));
      }
      case 'RESERVATION': {
        const { reservation, reservationProblem, isReservationNewer = false } = facts;
        if (reservation === undefined) return [];
        // The service could apply no remedy to it.
        if (reservationProblem !== undefined)
          return [unreadable(subject, reservationProblem, isReservationNewer)];
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
 * Finding about an order or payment of a newer version. It is not judged, nor is anything by it: a remedy might be
 * wrong, or write the item back as one of this version.
 * @returns undefined if this version may judge the subject. An item beside a newer one has no finding of its own.
 */
function newerItem(subject: Subject, facts: Facts): Disagreement[] | undefined {
  if (subject.kind === 'RESERVATION') return undefined;
  const { order, payments } = facts;
  const own = subject.kind === 'ORDER' ? order : payments.get(subject.paymentId);
  if (own?.isNewer === true) {
    return [unreadable(subject, own.problem, true)];
  }
  return [order, ...payments.values()].some((stored) => stored?.isNewer) ? [] : undefined;
}

function judgeOrder(stored: StoredOrder, facts: Facts, now: Circumstances): Disagreement[] {
  const order = stored.item;
  return [
    ...orderHistory(order),
    ...orderTotal(order),
    ...orderDue(stored, now),
    ...orderPayment(order, facts),
    ...paidOrder(order, facts),
    ...orderRefunds(order, facts),
    ...unknownCharges(order, facts),
    ...judgeStockOfOrder(order, facts, now),
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

function judgePayment(stored: StoredPayment, facts: Facts, now: Circumstances): Disagreement[] {
  const payment = stored.item;
  return [
    ...paymentHistory(payment),
    ...paymentDue(stored, now),
    ...methodToken(payment),
    ...orderOfPayment(payment, facts),
    ...openPayment(payment, facts),
    ...keptMoney(payment, facts),
    ...refundOnOrder(payment, facts),
    ...chargeStatus(payment, facts),
    ...chargeAmount(payment, facts),
  ];
}

/** An item that the service refuses is a disagreement, even if nothing else is wrong with it. */
function orUnreadable(
  subject: Subject,
  { problem }: StoredOrder | StoredPayment,
  findings: Disagreement[],
): Disagreement[] {
  return problem === undefined || findings.length > 0 ? findings : [unreadable(subject, problem)];
}

function unreadable(subject: Subject, error: unknown, isNewer = false): Disagreement {
  const { kind, ...ids } = subject;
  return {
    ...ids,
    check: 'unreadable',
    promise: 'P4',
    found: `a stored ${kind.toLowerCase()} that cannot be understood (${String(error)})`,
    expected: 'an item as the code writes it',
    mend: mendOfUnreadable(isNewer),
  };
}
