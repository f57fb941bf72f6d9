import type { StoredProduct } from '../world/snapshot.ts';
import type { Call } from './history.ts';

/** A recorded history, with its initial state. */
export interface Recorded {
  /** In the order in which they ended. */
  readonly calls: readonly Call[];
  readonly products: readonly (Pick<StoredProduct, 'unitPrice'> & {
    readonly productId?: string | undefined;
    readonly stock: number;
  })[];
  readonly duplicateWindowMs: number;
}

/** Text that is equal for equal products and quantities, in any order of lines. */
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
