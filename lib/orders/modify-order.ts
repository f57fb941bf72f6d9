import { OutOfStock } from '../inventory/refusals.ts';
import { MAX_MODIFICATIONS_PER_ORDER } from '../limits.ts';
import type { Money } from '../money.ts';
import {
  assertNever,
  IllegalTransition,
  ImpossibleState,
  PreconditionFailed,
} from '../platform/errors.ts';
import { admissionOf, admitOrder } from './admit-order.ts';
import { explainRefusal } from './explain-refusal.ts';
import { changeOrder, moveOrder } from './moves.ts';
import type {
  Order,
  OrderLine,
  PaymentFailedOrder,
  PaymentInProgressOrder,
  PendingPaymentOrder,
} from './order.ts';
import { hasBadQuantity, mergeLines, priceLines, QUANTITY_RANGE } from './order-items.ts';
import { currentPayment } from './order-payments.ts';
import { moveNow, type OrderService, ownedOrder, retryOnConflict } from './order-service.ts';
import { BadQuantity, ModificationPending, ReservationExpired } from './refusals.ts';
import { refusedProductOf } from './refused-product.ts';
import { tryNow } from './saga-client.ts';
import { signalWait } from './wait.ts';

export interface ModifyOrderRequest {
  readonly orderId: string;
  readonly userId: string;
  /** As sent: equal products are not added up yet. */
  readonly items: readonly { readonly productId: string; readonly quantity: number }[];
  /** The version that the caller has seen, from `If-Match`; undefined without that header. */
  readonly ifVersion: number | undefined;
  /** Digest of the keyed request, by which its repetition is recognised. */
  readonly request: string | undefined;
}

/**
 * Replaces the items of an order in a payment state (specification, sections 2 and 4). In PENDING_PAYMENT
 * the saga reserves the new items first; the old reservation stands until then. In PAYMENT_IN_PROGRESS
 * only the request is stored, and the saga voids the payment if it still can. In PAYMENT_FAILED the new
 * items are validated and priced before the response.
 * @throws NotFound, PreconditionFailed, BadQuantity, ModificationPending, ReservationExpired,
 * IllegalTransition, TooManyOpenOrders; in PAYMENT_FAILED also OutOfStock, TooManyPieces,
 * UnknownProduct, ProductUnavailable, MixedCurrencies.
 */
export function modifyOrder(
  service: OrderService<'inventory' | 'saga'>,
  request: ModifyOrderRequest,
): Promise<Order> {
  return retryOnConflict(service, async () => {
    const order = await ownedOrder(service, request.orderId, request.userId);
    if (request.request !== undefined && order.lastRequest === request.request) return order;
    requireAllowed(order, request);
    const items = mergeLines(request.items);
    switch (order.status) {
      case 'PENDING_PAYMENT':
        return reserveAgain(service, order, request, items);
      case 'PAYMENT_IN_PROGRESS':
        return askForVoid(service, order, request, items);
      case 'PAYMENT_FAILED':
        return replaceItems(service, order, request, items);
      case 'PENDING_RESERVING_STOCK':
        if (order.purpose === 'MODIFICATION') throw pending(order.orderId);
        throw notModifiable(order);
      case 'CREATED':
      case 'PAYMENT_DONE':
      case 'ORDER_FAILED':
      case 'INVALID':
      case 'ORDER_CANCELLED':
        throw notModifiable(order);
      default:
        return assertNever(order);
    }
  });
}

function requireAllowed(order: Order, request: ModifyOrderRequest): void {
  const { orderId } = order;
  if (request.ifVersion !== undefined && request.ifVersion !== order.version) {
    throw new PreconditionFailed(
      'The order has changed since you read it; read it again and decide anew.',
      { details: { orderId, version: order.version } },
    );
  }
  if (hasBadQuantity(request.items)) {
    throw new BadQuantity(`Every quantity must be ${QUANTITY_RANGE}; the order stays as it is.`, {
      details: { orderId },
    });
  }
  if (order.modifications >= MAX_MODIFICATIONS_PER_ORDER) {
    throw new IllegalTransition(
      `An order can be changed ${String(MAX_MODIFICATIONS_PER_ORDER)} times; place a new one.`,
      { details: { orderId, orderStatus: order.status } },
    );
  }
}

function notModifiable(order: Order): IllegalTransition {
  return new IllegalTransition(
    `The order is ${order.status}; its items can be changed while it waits for a payment, ` +
      'is being paid, or after a payment failed.',
    { details: { orderId: order.orderId, orderStatus: order.status } },
  );
}

function pending(orderId: string): ModificationPending {
  return new ModificationPending(ModificationPending.refusal.advice, { details: { orderId } });
}

/** Fields that every modification writes. */
function changes<Status extends 'PENDING' | 'APPLIED'>(
  order: Order,
  request: ModifyOrderRequest,
  status: Status,
  items: readonly OrderLine[],
) {
  return {
    modification: { status, items },
    modifications: order.modifications + 1,
    ...(request.request === undefined ? {} : { lastRequest: request.request }),
  };
}

/**
 * Writes a modified order. The new items are entered first: an identical order is refused from then on. If this
 * process dies in between, it is refused for IN_FLIGHT_MS, and the order keeps the entry of the items that it has.
 */
async function saveModified(
  service: OrderService,
  next: Order,
  order: Order,
  items: readonly OrderLine[],
): Promise<void> {
  await admitOrder(service, order.userId, admissionOf(service, 'MODIFY', order, items));
  await service.orders.save(next, order);
}

async function reserveAgain(
  service: OrderService<'saga'>,
  order: PendingPaymentOrder,
  request: ModifyOrderRequest,
  items: readonly OrderLine[],
): Promise<Order> {
  const nowMs = service.clock.now();
  if (nowMs >= order.reservationExpiresAtMs) {
    throw new ReservationExpired(ReservationExpired.refusal.advice, {
      details: { orderId: order.orderId },
    });
  }
  const next = moveOrder(
    order,
    'PENDING_RESERVING_STOCK',
    {
      purpose: 'MODIFICATION',
      total: order.total,
      former: { revision: order.heldRevision, expiresAtMs: order.reservationExpiresAtMs },
      revision: order.revision + 1,
      dueAtMs: nowMs + service.deadlines.dispatchMs,
      ...changes(order, request, 'PENDING', items),
    },
    moveNow(service, 'USER_MODIFIED', 'user'),
  );
  await saveModified(service, next, order, items);
  await tryNow(order, signalWait(service, order.orderId));
  return next;
}

async function askForVoid(
  service: OrderService<'saga'>,
  order: PaymentInProgressOrder,
  request: ModifyOrderRequest,
  items: readonly OrderLine[],
): Promise<Order> {
  if (order.modification?.status === 'PENDING') throw pending(order.orderId);
  const next = changeOrder(order, {
    ...changes(order, request, 'PENDING', items),
    dueAtMs: Math.min(order.dueAtMs, service.clock.now() + service.deadlines.dispatchMs),
  });
  await saveModified(service, next, order, items);
  // A step that is still to write PENDING meets this write, and then completes itself.
  if (currentPayment(order).status === 'PENDING') {
    await tryNow(order, signalWait(service, order.orderId));
  }
  return next;
}

/** Prices the new items now; a retry of the payment reserves them. */
async function replaceItems(
  service: OrderService<'inventory'>,
  order: PaymentFailedOrder,
  request: ModifyOrderRequest,
  wanted: readonly OrderLine[],
): Promise<Order> {
  const frozen = new Map<string, Money>();
  for (const { productId, unitPrice } of order.items) {
    if (unitPrice !== undefined) frozen.set(productId, unitPrice);
  }
  const { orderId, correlationId } = order;
  // Until the failed payment's stock is given back, nobody can tell what the order could have of it.
  const isReleased = order.releaseOwed === undefined;
  const asked = wanted.map((line) => ({ ...line, taken: isReleased ? line.quantity : 0 }));
  const quotes = await service.inventory
    .quote(asked, { orderId, correlationId }, frozen)
    .catch(async (error: unknown) => {
      const refused = error instanceof OutOfStock ? refusedProductOf(error) : undefined;
      if (refused === undefined) throw error;
      const { detail, details } = await explainRefusal(service, order, refused);
      throw new OutOfStock(detail, { details });
    });
  const present = [...quotes].map(([productId, unitPrice]) => ({ productId, unitPrice }));
  const { items, total } = priceLines(wanted, order.items, present);
  if (total === undefined) throw new ImpossibleState('A quoted product has no price.');
  const next = changeOrder(order, {
    items,
    total,
    revision: order.revision + 1,
    ...changes(order, request, 'APPLIED', items),
  });
  await saveModified(service, next, order, items);
  return next;
}
