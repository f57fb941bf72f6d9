import { MixedCurrencies } from '../inventory/refusals.ts';
import { ImpossibleState } from '../platform/errors.ts';
import { moveOrder } from './moves.ts';
import type {
  ModifiedReservation,
  PaymentInProgressOrder,
  PendingPaymentOrder,
  PendingReservingStockOrder,
  ReservedStock,
  RetriedReservation,
} from './order.ts';
import { intendedItems, priceLines } from './order-items.ts';
import { moveNow, type OrderService } from './order-service.ts';
import { OrderModified } from './saga/signals.ts';

/**
 * The order after its stock is decided, by the purpose of the reservation.
 * @param reserved Inventory's reservation; undefined if the modification was decided without a call.
 * @throws OrderModified if the order asks for a newer revision by now.
 * @throws MixedCurrencies
 */
export function afterReserving(
  service: OrderService,
  order: PendingReservingStockOrder,
  reserved: ReservedStock | undefined,
): PendingPaymentOrder | PaymentInProgressOrder {
  if (order.purpose === 'MODIFICATION' && order.modification.status === 'REJECTED') {
    return backToFormer(service, order);
  }
  const adopted = order.purpose === 'MODIFICATION' ? order.adopted : undefined;
  const reservation = adopted ?? reserved;
  if (
    reservation === undefined ||
    (adopted === undefined && reservation.revision < order.revision)
  ) {
    throw new OrderModified('Another revision is to be reserved.');
  }
  // Reserved again, it would be the same: OrderModified would lead back here without end.
  if (reservation.revision !== order.revision) {
    throw new ImpossibleState('Inventory holds another revision than the order asked for.');
  }
  return order.purpose === 'PAYMENT_RETRY'
    ? toPaymentInProgress(service, order, reservation)
    : toPendingPayment(service, order, reservation);
}

function toPendingPayment(
  service: OrderService,
  order: PendingReservingStockOrder,
  reservation: ReservedStock,
): PendingPaymentOrder {
  const { items, total } = priceLines(intendedItems(order), order.items, reservation.lines);
  if (total === undefined) {
    throw new MixedCurrencies('The order would have prices in different currencies.');
  }
  // A modification never extends the time that the user was promised.
  const reservationExpiresAtMs =
    order.purpose === 'MODIFICATION'
      ? Math.min(reservation.expiresAtMs, order.former.expiresAtMs)
      : reservation.expiresAtMs;
  const { modification } = order;
  return moveOrder(
    order,
    'PENDING_PAYMENT',
    {
      items,
      total,
      reservationExpiresAtMs,
      heldRevision: reservation.revision,
      // The wait itself lasts a little longer; the dispatcher may end it in time.
      dueAtMs: reservationExpiresAtMs,
      ...(modification?.status === 'PENDING'
        ? { modification: { ...modification, status: 'APPLIED' } }
        : {}),
    },
    moveNow(service, 'STOCK_RESERVED'),
  );
}

/** The stock of a retried payment is reserved; the payment was stored with the retry. */
function toPaymentInProgress(
  service: OrderService,
  order: RetriedReservation,
  reservation: ReservedStock,
): PaymentInProgressOrder {
  return moveOrder(
    order,
    'PAYMENT_IN_PROGRESS',
    {
      total: order.total,
      payments: order.payments,
      heldRevision: reservation.revision,
      reservationExpiresAtMs: reservation.expiresAtMs,
      // As after startPayment: a run that is lost before its charge is found in time.
      dueAtMs: service.clock.now() + service.deadlines.dispatchMs,
    },
    moveNow(service, 'STOCK_RESERVED'),
  );
}

/** The old reservation, items and total of a refused modification stand. */
function backToFormer(service: OrderService, order: ModifiedReservation): PendingPaymentOrder {
  const { former, total } = order;
  return moveOrder(
    order,
    'PENDING_PAYMENT',
    {
      total,
      heldRevision: former.revision,
      reservationExpiresAtMs: former.expiresAtMs,
      dueAtMs: former.expiresAtMs,
    },
    moveNow(service, 'MODIFICATION_REJECTED'),
  );
}
