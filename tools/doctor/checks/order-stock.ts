import type { Reservation } from '../../../lib/inventory/reservation.ts';
import type { Order } from '../../../lib/orders/order.ts';
import { sameItems } from '../../../lib/orders/order-items.ts';
import { currentPayment, isCurrentPayment } from '../../../lib/orders/order-payments.ts';
import type { Disagreement } from '../disagreement.ts';
import type { Circumstances, Facts } from '../facts.ts';
import { isKept } from './order-money.ts';

/** Difference between two machines' clocks: the sweeper may release a reservation this long before its end. */
const CLOCK_SKEW_MS = 5000;

/** P3: a paid order's stock is sold to its payment. */
export function soldToPaidOrder(order: Order, { reservation }: Facts): Disagreement[] {
  const payment = currentPayment(order);
  // A payment that is missing is a finding of `orderPayment`.
  if (order.status !== 'PAYMENT_DONE' || payment === undefined) return [];
  const { orderId, items } = order;
  const { paymentId } = payment;
  const isSold = reservation?.status === 'CONFIRMED' && reservation.paymentId === paymentId;
  if (isSold && sameItems(reservation.lines, items)) return [];
  const canBeSold =
    isKept(payment) &&
    reservation?.status === 'HELD' &&
    reservation.revision === payment.revision &&
    sameItems(reservation.lines, items);
  return [
    {
      check: 'paid-stock',
      promise: 'P3',
      orderId,
      paymentId,
      found: `PAYMENT_DONE, and its reservation is ${inWords(reservation)}`,
      expected: 'its items, sold to its payment',
      ...(canBeSold
        ? {
            mend: 'sell what is held to the payment',
            remedy: { kind: 'CONFIRM_STOCK', order, payment },
          }
        : { mend: 'a person: ship from other stock and correct the counters, or refund' }),
    },
  ];
}

/** P3: sold stock is paid for, or its order is about to be PAYMENT_DONE. */
export function paidForSoldStock(order: Order, { reservation }: Facts): Disagreement[] {
  if (reservation?.status !== 'CONFIRMED' || order.status === 'PAYMENT_DONE') return [];
  const { orderId, status } = order;
  const { paymentId } = reservation;
  const isBeingConfirmed =
    order.status === 'PAYMENT_IN_PROGRESS' &&
    isCurrentPayment(order, paymentId) &&
    isKept(currentPayment(order));
  if (isBeingConfirmed) return [];
  return [
    {
      check: 'sold-unpaid',
      promise: 'P3',
      orderId,
      paymentId,
      found: `${status}, and its stock is sold to ${paymentId}`,
      expected: 'stock is sold to an order that is paid',
      mend: 'a person: nothing takes a sale back; see whether it was paid, and correct the counters',
    },
  ];
}

/** P5: an order that waits for its payment holds its stock until the reservation expires. */
export function heldForPayment(
  order: Order,
  { reservation }: Facts,
  { nowMs }: Circumstances,
): Disagreement[] {
  if (order.status !== 'PENDING_PAYMENT') return [];
  const { orderId, heldRevision, items } = order;
  if (order.reservationExpiresAtMs <= nowMs + CLOCK_SKEW_MS) return [];
  const isHeld = reservation?.status === 'HELD' && reservation.revision === heldRevision;
  // A sale to this order is a finding of `paidForSoldStock`.
  if (reservation?.status === 'CONFIRMED') return [];
  if (isHeld && sameItems(reservation.lines, items)) return [];
  return [
    {
      check: 'stock-not-held',
      promise: 'P3',
      orderId,
      found: `PENDING_PAYMENT, and its reservation is ${inWords(reservation)}`,
      expected: `its items, held at revision ${String(heldRevision)}`,
      mend:
        'a person: nothing is charged for stock that is gone (the payment fails before), and the ' +
        'order ends with its time; cancel it to end it now',
    },
  ];
}

/** P5: an order at rest holds no stock, or owes its release. */
export function heldForNothing(order: Order, { reservation }: Facts): Disagreement[] {
  switch (order.status) {
    case 'PAYMENT_FAILED':
    case 'ORDER_FAILED':
    case 'INVALID':
    case 'ORDER_CANCELLED':
      break;
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
    case 'PENDING_PAYMENT':
    case 'PAYMENT_IN_PROGRESS':
    case 'PAYMENT_DONE':
      return [];
  }
  if (reservation?.status !== 'HELD') return [];
  if (order.releaseOwed !== undefined && order.releaseOwed.revision >= reservation.revision) {
    return [];
  }
  const { orderId, status, correlationId } = order;
  return [
    {
      check: 'stock-held-for-nothing',
      promise: 'P5',
      orderId,
      found: `${status}, and its reservation is ${inWords(reservation)}`,
      expected: 'nothing held, or its release owed',
      mend: 'release it at its revision',
      remedy: { kind: 'RELEASE_STOCK', reservation, correlationId },
    },
  ];
}

/** Formats a reservation: `HELD at revision 2: 1 prod-a`. */
export function inWords(reservation: Reservation | undefined): string {
  if (reservation === undefined) return 'not stored';
  const { status, revision } = reservation;
  const at = `${status} at revision ${String(revision)}`;
  switch (reservation.status) {
    case 'RELEASED':
      return at;
    case 'HELD':
      return `${at}: ${piecesOf(reservation)}`;
    case 'CONFIRMED':
      return `${at} to ${reservation.paymentId}: ${piecesOf(reservation)}`;
  }
}

function piecesOf({ lines }: Exclude<Reservation, { status: 'RELEASED' }>): string {
  return lines.map(({ productId, quantity }) => `${String(quantity)} ${productId}`).join(', ');
}
