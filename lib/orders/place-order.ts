import { toTimestamp } from '../platform/clock.ts';
import { CONFLICT, type RetryPolicy, retryOptimistically } from '../platform/dynamo/items.ts';
import { ConcurrentUpdate, IdempotencyConflict } from '../platform/errors.ts';
import { deriveId } from '../platform/ids.ts';
import { blocks, guardKeyFor, keepGuardUntilMs } from './duplicate-guard.ts';
import type { CreatedOrder, InvalidOrder, Order, OrderLine } from './order.ts';
import { hasBadQuantity, itemsFingerprint, mergeLines } from './order-items.ts';
import type { DuplicateGuard } from './order-repository.ts';
import { type OrderService, retryOnConflict } from './order-service.ts';
import { DuplicateOrder } from './refusals.ts';
import { retryOrder } from './retry-order.ts';
import { startSaga } from './start-and-wake.ts';

const PLACE_RETRIES: RetryPolicy = { attempts: 8 };

export interface PlaceOrderRequest {
  readonly userId: string;
  /** As sent: whole quantities, equal products not added up yet. */
  readonly items: readonly { readonly productId: string; readonly quantity: number }[];
  readonly idempotencyKey: string | undefined;
  /** True to place the order without a duplicate guard. */
  readonly allowDuplicate: boolean;
  readonly correlationId: string;
}

/**
 * Stores the order and starts its saga. An order with a bad quantity is stored as INVALID. The same
 * idempotency key finds the order it made before, even if the process that made it died.
 * @throws DuplicateOrder if the same items were ordered within the window and that order is not final.
 * @throws IdempotencyConflict if the key made an order of other items.
 */
export async function placeOrder(
  service: OrderService<'saga'>,
  request: PlaceOrderRequest,
): Promise<Order> {
  const orderId = deriveId(
    'ord',
    request.userId,
    'POST /order',
    request.idempotencyKey ?? service.ids.random(),
  );
  const order = hasBadQuantity(request.items)
    ? invalidOrder(service, request, orderId)
    : createdOrder(service, request, orderId);
  const stored = await store(service, order, request.allowDuplicate);
  if (stored.status === 'CREATED') await startSaga(service, stored);
  return stored;
}

/** Writes the order and its guard, or returns the order that the same request stored before. */
async function store(
  service: OrderService,
  order: CreatedOrder | InvalidOrder,
  allowDuplicate: boolean,
): Promise<Order> {
  let replacing: string | undefined;
  const stored = await retryOptimistically(service, PLACE_RETRIES, async () => {
    const outcome = await service.orders.place(
      order,
      order.guardKey === undefined
        ? undefined
        : {
            guardKey: order.guardKey,
            replacing,
            keepGuardUntilMs: keepGuardUntilMs(service, order),
          },
    );
    switch (outcome) {
      case 'PLACED':
        return order;
      case 'EXISTS':
        return sameRequestAgain(service, order);
      case 'GUARDED': {
        const guard = await guardOf(service, order);
        if (guard?.orderId === order.orderId) return sameRequestAgain(service, order);
        if (guard !== undefined && !allowDuplicate) await refuseDuplicate(service, order, guard);
        replacing = guard?.orderId;
        return CONFLICT;
      }
      case 'BUSY':
        return CONFLICT;
    }
  });
  if (stored === CONFLICT) {
    throw new ConcurrentUpdate('The same order is being placed many times at once; try again.');
  }
  return stored;
}

/**
 * The id derives from the key: the request is repeated, perhaps after its process died.
 * @returns CONFLICT while the order is not visible: its guard, written with it, may be visible first.
 */
async function sameRequestAgain(
  service: OrderService,
  order: CreatedOrder | InvalidOrder,
): Promise<Order | typeof CONFLICT> {
  const first = await service.orders.getOrder(order.orderId);
  if (first === undefined) return CONFLICT;
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
    return failed.status === 'ORDER_FAILED' ? retryOrder(service, failed, failed.userId) : failed;
  });
}

async function guardOf(
  service: OrderService,
  order: CreatedOrder | InvalidOrder,
): Promise<DuplicateGuard | undefined> {
  return order.guardKey === undefined ? undefined : service.orders.getGuard(order.guardKey);
}

/** @throws DuplicateOrder if the guard's order makes this one a duplicate. */
async function refuseDuplicate(
  service: OrderService,
  order: CreatedOrder | InvalidOrder,
  guard: DuplicateGuard,
): Promise<void> {
  const first = await service.orders.getOrder(guard.orderId);
  if (first === undefined || !blocks(service, first, order.items)) return;
  throw new DuplicateOrder(DuplicateOrder.refusal.advice, {
    details: { orderId: first.orderId },
    links: { order: `/order/${first.orderId}` },
  });
}

function createdOrder(
  service: OrderService,
  request: PlaceOrderRequest,
  orderId: string,
): CreatedOrder {
  const items = mergeLines(request.items);
  return {
    ...newOrder(service, request, orderId, items),
    status: 'CREATED',
    guardKey: guardKeyFor(request.userId, items),
    dueAtMs: service.clock.now() + service.deadlines.dispatchMs,
    history: [
      {
        from: null,
        to: 'CREATED',
        reason: 'ORDER_PLACED',
        at: toTimestamp(service.clock.now()),
        by: request.userId,
      },
    ],
  };
}

function invalidOrder(
  service: OrderService,
  request: PlaceOrderRequest,
  orderId: string,
): InvalidOrder {
  return {
    ...newOrder(service, request, orderId, request.items),
    status: 'INVALID',
    reason: 'BAD_QUANTITY',
    history: [
      {
        from: null,
        to: 'INVALID',
        reason: 'BAD_QUANTITY',
        at: toTimestamp(service.clock.now()),
        by: request.userId,
      },
    ],
  };
}

function newOrder(
  service: OrderService,
  request: PlaceOrderRequest,
  orderId: string,
  items: readonly OrderLine[],
) {
  return {
    orderId,
    userId: request.userId,
    correlationId: request.correlationId,
    createdAtMs: service.clock.now(),
    version: 1,
    revision: 1,
    run: 1,
    attempt: 0,
    items,
    placedAs: deriveId('items', itemsFingerprint(items)),
    modifications: 0,
    refunds: [],
  };
}
