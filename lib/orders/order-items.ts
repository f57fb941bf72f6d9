import { MAX_PIECES_PER_LINE } from '../limits.ts';
import type {
  Order,
  OrderLine,
  PendingReservingStockOrder,
  RejectedModification,
} from './order.ts';

/** Quantities that an order takes, in words. */
export const QUANTITY_RANGE = `a whole number from 1 to ${String(MAX_PIECES_PER_LINE)}`;

/**
 * Zero, negative and too large quantities make an order invalid, before equal products are added up
 * and after it. Fractions never get this far.
 */
export function hasBadQuantity(
  lines: readonly { readonly productId: string; readonly quantity: number }[],
): boolean {
  return [...lines, ...mergeLines(lines)].some(
    ({ quantity }) => quantity < 1 || quantity > MAX_PIECES_PER_LINE,
  );
}

/** One line per product, quantities added, in the order of first mention. */
export function mergeLines(
  lines: readonly { readonly productId: string; readonly quantity: number }[],
): OrderLine[] {
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of lines) {
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  }
  return [...quantities].map(([productId, quantity]) => ({ productId, quantity }));
}

/** True if products and quantities are the same; the order of the lines does not count. */
export function sameItems(left: readonly OrderLine[], right: readonly OrderLine[]): boolean {
  return itemsFingerprint(left) === itemsFingerprint(right);
}

/** A stable text of products and quantities. */
export function itemsFingerprint(lines: readonly OrderLine[]): string {
  return JSON.stringify(
    lines
      .map(({ productId, quantity }) => [productId, quantity] as const)
      .sort(([left, fewer], [right, more]) =>
        left === right ? fewer - more : left < right ? -1 : 1,
      ),
  );
}

/** Items to reserve: the new ones of a modification, otherwise the order's own. */
export function intendedItems(order: PendingReservingStockOrder): readonly OrderLine[] {
  return order.purpose === 'MODIFICATION' ? order.modification.items : order.items;
}

/** True while the user waits for the outcome of a modification. */
export function hasPendingModification(order: Order): boolean {
  return order.modification?.status === 'PENDING';
}

/** Rejects a pending modification, in the write that ends what it was waiting for. */
export function closeModification(
  order: Order,
  code: string,
): { readonly modification?: RejectedModification } {
  return order.modification?.status === 'PENDING'
    ? { modification: { ...order.modification, status: 'REJECTED', code } }
    : {};
}
