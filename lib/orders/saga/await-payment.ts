import { MixedCurrencies } from '../../inventory/refusals.ts';
import { assertNever, ImpossibleState } from '../../platform/errors.ts';
import { moveOrder, touchOrder } from '../moves.ts';
import type {
  ModifiedReservation,
  Order,
  PaymentInProgressOrder,
  PendingPaymentOrder,
  PendingReservingStockOrder,
  ReservedStock,
  RetriedReservation,
} from '../order.ts';
import { intendedItems, priceLines } from '../order-items.ts';
import { moveNow, type OrderService, retryOnConflict } from '../order-service.ts';
import { ReservationExpired } from '../refusals.ts';
import type { SagaRun } from '../saga-client.ts';
import { OrderModified, OrderSettled, PaymentStarted, StillAwaitingPayment } from './signals.ts';
import { orderOfRun } from './task.ts';

export interface AwaitPaymentInput extends SagaRun {
  readonly reservation: ReservedStock | null;
  readonly waitToken: string;
}

/**
 * Saga step 2: `PENDING_RESERVING_STOCK` → `PENDING_PAYMENT`, with this wait's token in the same write. A
 * decision is written on the order first and signals that token second. A step whose wait is decided
 * already completes itself.
 */
export function awaitPayment(
  service: OrderService<'saga'>,
  input: AwaitPaymentInput,
): Promise<void> {
  return retryOnConflict(service, async () => {
    const order = await orderOfRun(service, input);
    switch (order.status) {
      case 'PENDING_RESERVING_STOCK': {
        const next = afterReserving(service, order, input);
        await service.orders.save(next, order);
        // A retried payment is charged at once; a modification may leave no time to pay.
        if (next.status === 'PAYMENT_IN_PROGRESS' || isExpired(service, next)) {
          await service.saga.signal(input.waitToken);
        }
        return;
      }
      case 'PENDING_PAYMENT':
        await service.orders.save(touchOrder(order, { waitToken: input.waitToken }), order);
        await signalReplacedToken(service, order.waitToken, input.waitToken);
        if (isExpired(service, order)) await service.saga.signal(input.waitToken);
        return;
      case 'CREATED':
      case 'PAYMENT_IN_PROGRESS':
      case 'PAYMENT_DONE':
      case 'PAYMENT_FAILED':
      case 'ORDER_FAILED':
      case 'INVALID':
      case 'ORDER_CANCELLED':
        await service.saga.signal(input.waitToken);
        return;
      default:
        return assertNever(order);
    }
  });
}

/**
 * Signals the task token this step overwrote. If this step is a late duplicate, that token belongs to the
 * live wait, which then reads the order again and stores a new one.
 */
export async function signalReplacedToken(
  service: OrderService<'saga'>,
  replaced: string,
  waitToken: string,
): Promise<void> {
  if (replaced !== waitToken) await service.saga.signal(replaced);
}

/** Branch of an order that is neither waited for nor charged. */
export function branchByStatus(order: Exclude<Order, PendingPaymentOrder>): Error {
  switch (order.status) {
    case 'PAYMENT_IN_PROGRESS':
    case 'PAYMENT_DONE':
      return new PaymentStarted('The user has paid in time.');
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
      return new OrderModified('The order is to be reserved again.');
    case 'PAYMENT_FAILED':
    case 'ORDER_FAILED':
    case 'INVALID':
    case 'ORDER_CANCELLED':
      return new OrderSettled(`The order is ${order.status}.`);
    default:
      return assertNever(order);
  }
}

/** Branch of an order that still waits for its user when its token is signalled. */
export function branchWhilePending(service: OrderService, order: PendingPaymentOrder): Error {
  return isExpired(service, order)
    ? new ReservationExpired('The reservation has run out.')
    : new StillAwaitingPayment('The user has not decided yet.');
}

export function isExpired(service: OrderService, order: PendingPaymentOrder): boolean {
  const nowMs = service.clock.now() + service.deadlines.reservationSkewMs;
  return nowMs >= order.reservationExpiresAtMs;
}

/**
 * The order after its stock is decided, by the purpose of the reservation.
 * @throws OrderModified if the order asks for a newer revision than the step before reserved.
 */
function afterReserving(
  service: OrderService,
  order: PendingReservingStockOrder,
  input: AwaitPaymentInput,
): PendingPaymentOrder | PaymentInProgressOrder {
  if (order.purpose === 'MODIFICATION' && order.modification.status === 'REJECTED') {
    return backToFormer(service, order, input.waitToken);
  }
  const adopted = order.purpose === 'MODIFICATION' ? order.adopted : undefined;
  const reservation = adopted ?? input.reservation;
  if (reservation === null || (adopted === undefined && reservation.revision < order.revision)) {
    throw new OrderModified('Another revision is to be reserved.');
  }
  // Reserved again, it would be the same: OrderModified would lead back here without end.
  if (reservation.revision !== order.revision) {
    throw new ImpossibleState('Inventory holds another revision than the order asked for.');
  }
  return order.purpose === 'PAYMENT_RETRY'
    ? toPaymentInProgress(service, order, reservation)
    : toPendingPayment(service, order, reservation, input.waitToken);
}

function toPendingPayment(
  service: OrderService,
  order: PendingReservingStockOrder,
  reservation: ReservedStock,
  waitToken: string,
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
      waitToken,
      reservationExpiresAtMs,
      heldRevision: reservation.revision,
      dueAtMs: reservationExpiresAtMs + service.deadlines.dispatchMs,
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
      paymentId: order.paymentId,
      heldRevision: reservation.revision,
      reservationExpiresAtMs: reservation.expiresAtMs,
      // As after startPayment: the charge extends the hold, and a run lost before it is found in time.
      dueAtMs: service.clock.now() + service.deadlines.dispatchMs,
    },
    moveNow(service, 'STOCK_RESERVED'),
  );
}

/** The old reservation, items and total of a refused modification stand. */
function backToFormer(
  service: OrderService,
  order: ModifiedReservation,
  waitToken: string,
): PendingPaymentOrder {
  const { former, total } = order;
  return moveOrder(
    order,
    'PENDING_PAYMENT',
    {
      total,
      waitToken,
      heldRevision: former.revision,
      reservationExpiresAtMs: former.expiresAtMs,
      dueAtMs: former.expiresAtMs + service.deadlines.dispatchMs,
    },
    moveNow(service, 'MODIFICATION_REJECTED'),
  );
}
