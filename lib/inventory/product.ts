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
  /** Counts the changes a person made to the product; its ETag. No stock movement touches it. */
  readonly version: number;
  /**
   * Counts what reservations did to its stock, from the first one on: whoever adds reservations up
   * can tell that none of them moved meanwhile.
   */
  readonly movements?: number;
  /** A digest of the request that created it: repeated after a crash it is found to be done. */
  readonly createdAs: string;
  /** A digest of the request that changed it last, for the same reason. */
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

/** What a person may change of a product; what is not given stays. */
export interface ProductChange {
  readonly name?: string;
  readonly description?: string;
  readonly unitPrice?: Money;
  readonly status?: ProductStatus;
}

/** Pieces that arrived. Written once, together with the stock they add. */
export interface StockReceipt {
  readonly receiptId: string;
  readonly productId: string;
  readonly quantity: number;
  /** RFC 3339 UTC. */
  readonly at: string;
}

export type Product = ActiveProduct | WithdrawnProduct;
export type ProductStatus = Product['status'];
