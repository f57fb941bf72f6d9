import { isFinal } from './moves.ts';
import type { Order, OrderLine } from './order.ts';
import { sameItems } from './order-items.ts';
import { type GuardWrite, guardKeyFor } from './order-repository.ts';
import type { OrderService } from './order-service.ts';

/**
 * Guard that a modified order takes in its own transaction; undefined if it stands for another order in
 * force: the user has just asked for these items here too. The guard of the former items stays; its
 * reader compares the present items of the order.
 */
export async function duplicateGuardFor(
  service: OrderService,
  order: Order,
  items: readonly OrderLine[],
): Promise<GuardWrite | undefined> {
  const guardKey = guardKeyFor(order.userId, items);
  const guard = await service.orders.getGuard(guardKey);
  if (guard !== undefined && guard.orderId !== order.orderId) {
    const other = await service.orders.getOrder(guard.orderId);
    if (other !== undefined && blocks(service, other, items)) return undefined;
  }
  return { guardKey, replacing: guard?.orderId };
}

/** True if the first order makes another order of these items a duplicate. */
export function blocks(service: OrderService, first: Order, items: readonly OrderLine[]): boolean {
  const windowMs = service.config.DUPLICATE_WINDOW_SECONDS * 1000;
  return (
    !isFinal(first.status) &&
    service.clock.now() - first.createdAtMs < windowMs &&
    isOf(first, items)
  );
}

/** A pending modification may leave the order with the old items or with the new ones. */
function isOf(order: Order, items: readonly OrderLine[]): boolean {
  const { modification } = order;
  return (
    sameItems(order.items, items) ||
    (modification?.status === 'PENDING' && sameItems(modification.items, items))
  );
}
