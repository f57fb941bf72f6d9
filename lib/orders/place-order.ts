import { toTimestamp } from '../platform/clock.ts';
import { CONFLICT } from '../platform/dynamo/items.ts';
import { ConcurrentUpdate, IdempotencyConflict } from '../platform/errors.ts';
import { deriveId } from '../platform/ids.ts';
import { admitOrder } from './admit-order.ts';
import type { Admission, OpenOrders } from './open-orders.ts';
import type { CreatedOrder, InvalidOrder, Order, OrderLine } from './order.ts';
import { hasBadQuantity, mergeLines } from './order-items.ts';
import { itemsKeyOf, type OrderService, retryOnConflict } from './order-service.ts';
import { retryOrder } from './retry-order.ts';
import { tryNow } from './saga-client.ts';

export interface PlaceOrderRequest {
  readonly userId: string;
  /** As sent: whole quantities, equal products not added up yet. */
  readonly items: readonly { readonly productId: string; readonly quantity: number }[];
  readonly idempotencyKey: string | undefined;
  /** True to place the order beside another one of the same items. */
  readonly allowDuplicate: boolean;
  readonly correlationId: string;
}

/**
 * Stores the order and starts its saga. An order with a bad quantity is stored as INVALID. The same
 * idempotency key finds the order it made before, even if the process that made it died.
 * @throws DuplicateOrder if the same items were ordered within the window and that order is not final;
 * OrderInFlight if they are being ordered at this moment; TooManyOpenOrders.
 * @throws IdempotencyConflict if the key made an order of other items.
 */
export async function placeOrder(
  service: OrderService<'saga'>,
  request: PlaceOrderRequest,
): Promise<Order> {
  const stored = await store(service, newOrder(service, request), request.allowDuplicate);
  if (stored.status === 'CREATED') await tryNow(stored, service.saga.start(stored));
  return stored;
}

/**
 * Enters the order among its user's open orders, then writes it, or returns the order that the same request
 * stored before. An INVALID order is not entered: it is final.
 */
async function store(
  service: OrderService,
  order: CreatedOrder | InvalidOrder,
  allowDuplicate: boolean,
): Promise<Order> {
  if (order.status === 'CREATED') {
    const { userId, orderId, version, createdAtMs: atMs, placedAs: itemsKey } = order;
    const entry = { itemsKey, orderId, atMs, version };
    const { MAX_OPEN_ORDERS_PER_USER: maxEntries } = service.config;
    const seen = await service.orders.enterOpenOrder(userId, entry, maxEntries);
    const admission = { purpose: 'PLACE', entry, allowDuplicate } as const;
    if (seen !== undefined && (await admitAmong(service, userId, admission, seen)) === 'EXISTS') {
      return sameRequestAgain(service, order);
    }
  }
  const outcome = await service.orders.place(order);
  return outcome === 'PLACED' ? order : sameRequestAgain(service, order);
}

/** @param seen the open orders that the first try met. */
function admitAmong(
  service: OrderService,
  userId: string,
  admission: Admission,
  seen: OpenOrders | typeof CONFLICT,
): ReturnType<typeof admitOrder> {
  return retryOnConflict(
    service,
    (openOrders: OpenOrders | undefined) => admitOrder(service, userId, admission, openOrders),
    seen === CONFLICT ? undefined : seen,
  );
}

/**
 * The id derives from the key: the request is repeated, perhaps after its process died.
 * @throws IdempotencyConflict; ConcurrentUpdate if the order cannot be seen yet.
 */
async function sameRequestAgain(
  service: OrderService,
  order: CreatedOrder | InvalidOrder,
): Promise<Order> {
  const first = await service.orders.getOrder(order.orderId);
  if (first === undefined) {
    throw new ConcurrentUpdate('The same order is being placed many times at once; try again.');
  }
  if (first.placedAs !== order.placedAs) {
    throw new IdempotencyConflict(
      'This Idempotency-Key placed an order of other items; use a new key.',
      { details: { orderId: first.orderId } },
    );
  }
  // The caller asks for the order, not for its failure: run it again.
  if (first.status !== 'ORDER_FAILED') return first;
  return retryOnConflict(service, async () => {
    const failed = (await service.orders.getOrder(order.orderId)) ?? first;
    return failed.status === 'ORDER_FAILED' ? retryOrder(service, failed) : failed;
  });
}

/** The order as the request asks for it: `CREATED`, or `INVALID` if a quantity is out of range. */
function newOrder(service: OrderService, request: PlaceOrderRequest): CreatedOrder | InvalidOrder {
  const { userId, correlationId } = request;
  const nowMs = service.clock.now();
  const isValid = !hasBadQuantity(request.items);
  const items: readonly OrderLine[] = isValid ? mergeLines(request.items) : request.items;
  const [status, reason] = isValid
    ? (['CREATED', 'ORDER_PLACED'] as const)
    : (['INVALID', 'BAD_QUANTITY'] as const);
  const facts = {
    orderId: deriveId('ord', userId, 'POST /order', request.idempotencyKey ?? service.ids.random()),
    userId,
    correlationId,
    createdAtMs: nowMs,
    version: 1,
    writes: 1,
    revision: 1,
    run: 1,
    items,
    placedAs: itemsKeyOf(items),
    modifications: 0,
    payments: [],
    history: [{ from: null, to: status, reason, at: toTimestamp(nowMs), by: 'user' as const }],
  };
  if (status === 'INVALID') return { ...facts, status, reason };
  return {
    ...facts,
    status,
    dueAtMs: nowMs + service.deadlines.dispatchMs,
  };
}
