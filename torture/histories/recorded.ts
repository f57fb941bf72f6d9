import type { StoredProduct } from '../world/snapshot.ts';
import type { Call } from './history.ts';

/** A history as it was recorded, and what it began with. */
export interface Recorded {
  /** In the order in which they ended. */
  readonly calls: readonly Call[];
  readonly products: readonly (Pick<StoredProduct, 'unitPrice'> & {
    readonly productId?: string | undefined;
    readonly stock: number;
  })[];
  readonly duplicateWindowMs: number;
}

/** The same products and quantities, whatever the lines and their order. */
export function fingerprint(
  lines: readonly { readonly productId: string; readonly quantity: number }[],
): string {
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of lines) {
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  }
  return [...quantities]
    .map(([productId, quantity]) => `${productId} ${String(quantity)}`)
    .sort()
    .join();
}
