import { MixedCurrencies } from '../../inventory/refusals.ts';
import { totalOf } from '../../money.ts';
import { assertNever } from '../../platform/errors.ts';
import { intendedItems } from '../modification.ts';
import {
  moveOrder,
  type Order,
  type PaymentInProgressOrder,
  type PendingPaymentOrder,
  type PendingReservingStockOrder,
  type ReservedStock,
  touchOrder,
} from '../order.ts';
import { type OrderService, retryOnConflict, systemMove } from '../order-service.ts';
import { clockSkewMs } from '../recovery/deadlines.ts';
import { ReservationExpired } from '../refusals.ts';
import type { SagaRun } from '../saga-client.ts';
import { orderOfRun } from './current-run.ts';
import { OrderModified, OrderSettled, PaymentStarted, StillAwaitingPayment } from './signals.ts';

export interface AwaitPaymentInput extends SagaRun {
  readonly reservation: ReservedStock | null;
  readonly waitToken: string;
}

/**
 * Saga step 2: `PENDING_RESERVING_STOCK` → `PENDING_PAYMENT`, with the token of this wait in the same
 * write. Whoever decides for the user writes the order first and then signals that token; a step
 * that finds its wait already decided completes itself.
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
        // A retried payment is charged at once; of a modification's time nothing may be left.
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
 * For a step that has put its token in the place of another one. Mostly nobody waits with that any
 * more. But perhaps this step is the late one, run a second time by a call whose answer was lost:
 * then the wait that counts looks at the order, comes back, and stores a token anew.
 */
export async function signalReplacedToken(
  service: OrderService<'saga'>,
  replaced: string,
  waitToken: string,
): Promise<void> {
  if (replaced !== waitToken) await service.saga.signal(replaced);
}

/** Where an order leads that is neither to be waited for nor to be charged. */
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

/** Woken while the order still waits for its user: the time is up, or it was a false alarm. */
export function branchWhilePending(service: OrderService, order: PendingPaymentOrder): Error {
  return isExpired(service, order)
    ? new ReservationExpired('The reservation has run out.')
    : new StillAwaitingPayment('The user has not decided yet.');
}

export function isExpired(service: OrderService, order: PendingPaymentOrder): boolean {
  const skewMs = clockSkewMs(service.config.RESERVATION_TTL_SECONDS);
  return service.clock.now() + skewMs >= order.reservationExpiresAtMs;
}

/** What the order becomes now that its stock is decided, by what it was reserved for. */
function afterReserving(
  service: OrderService,
  order: PendingReservingStockOrder,
  input: AwaitPaymentInput,
): PendingPaymentOrder | PaymentInProgressOrder {
  if (order.purpose === 'MODIFICATION' && order.modification?.status === 'REJECTED') {
    return backToFormer(service, order, input.waitToken);
  }
  const reservation = order.adopted ?? input.reservation;
  if (reservation?.revision !== order.revision) {
    throw new OrderModified('Another revision is to be reserved.');
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
  const { items, total } = pricedItems(order, reservation);
  // A modification never extends the time that the user was promised.
  const reservationExpiresAtMs = Math.min(
    reservation.expiresAtMs,
    order.former?.expiresAtMs ?? reservation.expiresAtMs,
  );
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
    systemMove(service, 'STOCK_RESERVED'),
  );
}

/** The stock of a retried payment is back; the payment was created with the retry. */
function toPaymentInProgress(
  service: OrderService,
  order: PendingReservingStockOrder,
  reservation: ReservedStock,
): PaymentInProgressOrder {
  if (order.paymentId === undefined || order.total === undefined) {
    throw new OrderModified('The order has no payment to be charged.');
  }
  return moveOrder(
    order,
    'PAYMENT_IN_PROGRESS',
    {
      total: order.total,
      paymentId: order.paymentId,
      heldRevision: reservation.revision,
      reservationExpiresAtMs: reservation.expiresAtMs,
      dueAtMs: service.clock.now() + service.deadlines.payingMs,
    },
    systemMove(service, 'STOCK_RESERVED'),
  );
}

/** A refused modification: old reservation, old items and old total stand. */
function backToFormer(
  service: OrderService,
  order: PendingReservingStockOrder,
  waitToken: string,
): PendingPaymentOrder {
  const { former, total } = order;
  if (former === undefined || total === undefined) {
    throw new OrderModified('The order had no reservation before.');
  }
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
    systemMove(service, 'MODIFICATION_REJECTED'),
  );
}

function pricedItems(order: PendingReservingStockOrder, reservation: ReservedStock) {
  const reservedAt = new Map(reservation.lines.map((line) => [line.productId, line.unitPrice]));
  const seen = new Map(order.items.map((line) => [line.productId, line.unitPrice]));
  // A price that the user has seen stays; only products reserved for the first time get theirs now.
  const items = intendedItems(order).map(({ productId, quantity }) => {
    const unitPrice = seen.get(productId) ?? reservedAt.get(productId);
    return { productId, quantity, ...(unitPrice === undefined ? {} : { unitPrice }) };
  });
  const total = totalOf(items);
  if (total === undefined) {
    throw new MixedCurrencies('The order would have prices in different currencies.');
  }
  return { items, total };
}
