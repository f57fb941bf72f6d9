import type { Money } from '../money.ts';

/**
 * The stock of one product. Promise P1, kept by every write:
 * `available >= 0` and `available + reserved + sold = received`.
 */
export interface Stock {
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
  readonly received: number;
}

interface ProductBase extends Stock {
  readonly productId: string;
  readonly name: string;
  readonly description: string;
  readonly unitPrice: Money;
  /** Pieces that one order may have of it; absent: DEFAULT_MAX_PER_ORDER. */
  readonly maxPerOrder?: number;
  /** Counts the changes a person made to the product; its ETag. Stock movements do not change it. */
  readonly version: number;
  /**
   * Counts the stock movements by reservations. A sum of reservations is consistent if this did not
   * change meanwhile.
   */
  readonly movements?: number;
  /** Digest of the request that created it, by which its repetition after a crash is recognised. */
  readonly createdAs: string;
  /** Digest of the request that changed it last, for the same reason. */
  readonly changedAs?: string;
}

/** Can be ordered. */
export interface ActiveProduct extends ProductBase {
  readonly status: 'ACTIVE';
}

/** Taken off sale for now: new reservations are refused, existing ones stand. */
export interface WithdrawnProduct extends ProductBase {
  readonly status: 'WITHDRAWN';
}

/** Fields that a person may change; absent fields stay. */
export interface ProductChange {
  readonly name?: string;
  readonly description?: string;
  readonly unitPrice?: Money;
  readonly maxPerOrder?: number;
  readonly status?: ProductStatus;
}

/** Record of a change that a person made to a product; written once, together with the change. */
export interface ChangeRecord {
  readonly productId: string;
  /** Version of the product after it; 1 for its creation. */
  readonly version: number;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** The user who made it. */
  readonly by: string;
  /** The changed fields before it; empty for a creation. */
  readonly from: ProductChange;
  readonly to: ProductChange;
}

/** Units that arrived; written once, together with the stock they add. */
export interface StockReceipt {
  readonly receiptId: string;
  readonly productId: string;
  readonly quantity: number;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** The user who received them; absent from receipts older than the field. */
  readonly by?: string;
}

export type Product = ActiveProduct | WithdrawnProduct;
export type ProductStatus = Product['status'];
