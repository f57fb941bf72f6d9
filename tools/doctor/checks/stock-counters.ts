import type { Product, Stock } from '../../../lib/inventory/product.ts';
import { type Disagreement, mendOfUnreadable } from '../disagreement.ts';

/** Units of one product, summed over all its reservations. */
export interface Pieces {
  readonly held: number;
  readonly sold: number;
}

/** One product as it is, however malformed, before and after its reservations were added up, and their sums. */
export interface StockFacts {
  readonly productId: string;
  readonly before: Product | undefined;
  readonly pieces: Pieces;
  readonly after: Product | undefined;
  /** Reason why the service cannot read the product afterwards. */
  readonly problem: string | undefined;
  /** True if another version of the service wrote the product; nothing is proved by its counters then. */
  readonly isOtherVersion: boolean;
}

const CORRECTION =
  'a person: count what is there; no code path explains it, so the counters are not touched';

/** P1: `available >= 0` and `available + reserved + sold = received`, at every moment. */
export function stockBalance({ productId, after: product }: StockFacts): Disagreement[] {
  if (product === undefined || isBalanced(product)) return [];
  return [
    {
      check: 'stock-balance',
      promise: 'P1',
      productId,
      found: inWords(product),
      expected: 'available >= 0 and available + reserved + sold = received',
      mend: CORRECTION,
    },
  ];
}

function isBalanced({ available, reserved, sold, received }: Stock): boolean {
  const isCount = (count: number): boolean => Number.isInteger(count) && count >= 0;
  return (
    [available, reserved, sold, received].every(isCount) && available + reserved + sold === received
  );
}

/** P1: `reserved` and `sold` are the sums of the units that reservations hold and have sold. */
export function stockSums(facts: StockFacts): Disagreement[] {
  const { productId, pieces, after: product } = facts;
  if (hasMoved(facts)) return [];
  const { held, sold } = pieces;
  if (product === undefined) {
    if (held === 0 && sold === 0) return [];
    return [
      {
        check: 'product-missing',
        promise: 'P1',
        productId,
        found: `reservations of it hold ${String(held)} and have sold ${String(sold)}, and it is not stored`,
        expected: 'the product of the reservations',
        mend: 'a person: restore the product from a backup of the table',
      },
    ];
  }
  if (product.reserved === held && product.sold === sold) return [];
  return [
    {
      check: 'stock-sums',
      promise: 'P1',
      productId,
      found: `${inWords(product)}; reservations hold ${String(held)} and have sold ${String(sold)}`,
      expected: 'reserved and sold are the sums of the reservations',
      mend: CORRECTION,
    },
  ];
}

/** A product that the service cannot read is sold to nobody. */
export function unreadableProduct({
  productId,
  problem,
  isOtherVersion,
}: StockFacts): Disagreement[] {
  if (problem === undefined) return [];
  return [
    {
      check: 'unreadable',
      promise: 'P1',
      productId,
      found: `a stored product that cannot be understood (${problem})`,
      expected: 'an item as the code writes it',
      mend: mendOfUnreadable(isOtherVersion),
    },
  ];
}

/** True if the product changed while its reservations were added up. The sums then prove nothing. */
export function hasMoved({ before, after }: StockFacts): boolean {
  return (
    before?.movements !== after?.movements ||
    before?.reserved !== after?.reserved ||
    before?.sold !== after?.sold
  );
}

function inWords({ available, reserved, sold, received }: Stock): string {
  return `available ${String(available)} + reserved ${String(reserved)} + sold ${String(sold)}, received ${String(received)}`;
}
