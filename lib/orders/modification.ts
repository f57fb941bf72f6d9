import type { Modification, Order, OrderLine, PendingReservingStockOrder } from './order.ts';

/** What the present intent reserves: a modification's new items until it is applied or refused. */
export function intendedItems(order: PendingReservingStockOrder): readonly OrderLine[] {
  return order.purpose === 'MODIFICATION' && order.modification !== undefined
    ? order.modification.items
    : order.items;
}

/** Whether the user has asked for other items and has no answer yet. */
export function hasPendingModification(order: Order): boolean {
  return order.modification?.status === 'PENDING';
}

/** For a write that ends what a pending modification was waiting for: it is refused in the same write. */
export function closeModification(
  order: Order,
  code: string,
): { readonly modification?: Modification } {
  return order.modification?.status === 'PENDING'
    ? { modification: { ...order.modification, status: 'REJECTED', code } }
    : {};
}
