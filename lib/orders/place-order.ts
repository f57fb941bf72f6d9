import { toTimestamp } from '../platform/clock.ts';
import { ConcurrentUpdate, IdempotencyConflict } from '../platform/errors.ts';
import { deriveId } from '../platform/ids.ts';
import { blocks } from './duplicate-guard.ts';
import type { CreatedOrder, InvalidOrder, Order, OrderLine } from './order.ts';
import { hasBadQuantity, itemsFingerprint, mergeLines } from './order-items.ts';
import { type DuplicateGuard, guardKeyFor } from './order-repository.ts';
import { type OrderService, retryOnConflict } from './order-service.ts';
import { DuplicateOrder } from './refusals.ts';
import { retryOrder } from './retry-order.ts';
import { tryNow } from './saga-client.ts';

const PLACE_ATTEMPTS = 8;

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
  const stored = await store(service, newOrder(service, request), request.allowDuplicate);
  if (stored.status === 'CREATED') await tryNow(stored, service.saga.start(stored));
  return stored;
}

/** Writes the order and its guard, or returns the order that the same request stored before. */
async function store(
  service: OrderService,
  order: CreatedOrder | InvalidOrder,
  allowDuplicate: boolean,
): Promise<Order> {
  const { guardKey } = order;
  let replacing: string | undefined;
  for (let attempt = 1; attempt <= PLACE_ATTEMPTS; attempt += 1) {
    const outcome = await service.orders.place(
      order,
      guardKey === undefined ? undefined : { guardKey, replacing },
    );
    if (outcome === 'PLACED') return order;
    if (outcome === 'BUSY') continue;
    const guard = outcome === 'GUARDED' ? await guardOf(service, order) : undefined;
    if (outcome === 'EXISTS' || guard?.orderId === order.orderId) {
      const earlier = await sameRequestAgain(service, order);
      if (earlier !== undefined) return earlier;
    } else {
      if (guard !== undefined && !allowDuplicate) await refuseDuplicate(service, order, guard);
      replacing = guard?.orderId;
    }
  }
  throw new ConcurrentUpdate('The same order is being placed many times at once; try again.');
}

/**
 * The id derives from the key: the request is repeated, perhaps after its process died.
 * @returns undefined while the order is not visible: its guard, written with it, may be visible first.
 */
async function sameRequestAgain(
  service: OrderService,
  order: CreatedOrder | InvalidOrder,
): Promise<Order | undefined> {
  const first = await service.orders.getOrder(order.orderId);
  if (first === undefined) return undefined;
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
    revision: 1,
    run: 1,
    attempt: 0,
    items,
    placedAs: deriveId('items', itemsFingerprint(items)),
    modifications: 0,
    refunds: [],
    history: [{ from: null, to: status, reason, at: toTimestamp(nowMs), by: userId }],
  };
  if (status === 'INVALID') return { ...facts, status, reason };
  return {
    ...facts,
    status,
    guardKey: guardKeyFor(userId, items),
    dueAtMs: nowMs + service.deadlines.dispatchMs,
  };
}
