import { MAX_PIECES_PER_LINE } from '../limits.ts';
import type { Money } from '../money.ts';
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
  for (const { quantity } of [...lines, ...mergeLines(lines)]) {
    if (quantity < 1 || quantity > MAX_PIECES_PER_LINE) return true;
  }
  return false;
}

/** One line per product, quantities added, in the order of first mention. */
export function mergeLines(
  lines: readonly { readonly productId: string; readonly quantity: number }[],
): OrderLine[] {
  const merged = new Map<string, OrderLine>();
  for (const { productId, quantity } of lines) {
    const before = merged.get(productId)?.quantity ?? 0;
    merged.set(productId, { productId, quantity: before + quantity });
  }
  return [...merged.values()];
}

/** True if products and quantities are the same; the order of the lines does not count. */
export function sameItems(left: readonly OrderLine[], right: readonly OrderLine[]): boolean {
  return itemsFingerprint(left) === itemsFingerprint(right);
}

/** A stable text of products and quantities. */
export function itemsFingerprint(lines: readonly OrderLine[]): string {
  const pairs: [productId: string, quantity: number][] = [];
  for (const { productId, quantity } of lines) pairs.push([productId, quantity]);
  pairs.sort(([left, fewer], [right, more]) =>
    left === right ? fewer - more : left < right ? -1 : 1,
  );
  return JSON.stringify(pairs);
}

/**
 * Prices an order's lines: a price that the user has seen stays, another product gets the present one.
 * @param seen lines with the prices that the user has seen.
 */
export function priceLines(
  lines: readonly OrderLine[],
  seen: readonly OrderLine[],
  present: readonly { readonly productId: string; readonly unitPrice: Money }[],
): { readonly items: readonly OrderLine[]; readonly total: Money | undefined } {
  const prices = new Map<string, Money>();
  for (const { productId, unitPrice } of [...present, ...seen]) {
    if (unitPrice !== undefined) prices.set(productId, unitPrice);
  }
  const items: OrderLine[] = [];
  for (const { productId, quantity } of lines) {
    const unitPrice = prices.get(productId);
    items.push({ productId, quantity, ...(unitPrice === undefined ? {} : { unitPrice }) });
  }
  return { items, total: totalOf(items) };
}

/**
 * Sums quantity × unit price.
 * @returns undefined where there is no line, a line has no price yet, or currencies differ.
 */
export function totalOf(
  lines: readonly { readonly quantity: number; readonly unitPrice?: Money }[],
): Money | undefined {
  const currency = lines[0]?.unitPrice?.currency;
  if (currency === undefined) return undefined;
  let amount = 0;
  for (const { quantity, unitPrice } of lines) {
    if (unitPrice?.currency !== currency) return undefined;
    amount += quantity * unitPrice.amount;
  }
  return { amount, currency };
}

/** Items to reserve: the new ones of a modification, otherwise the order's own. */
export function intendedItems(order: PendingReservingStockOrder): readonly OrderLine[] {
  return order.purpose === 'MODIFICATION' ? order.modification.items : order.items;
}

/** All items that the order may come to: its own, and those of a pending modification. */
export function possibleItems({ items, modification }: Order): readonly (readonly OrderLine[])[] {
  return modification?.status === 'PENDING' ? [items, modification.items] : [items];
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
