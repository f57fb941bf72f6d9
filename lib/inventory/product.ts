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
  /** Counts the changes a person made to the product; reservations do not touch it. */
  readonly version: number;
}

/** Can be ordered. */
export interface ActiveProduct extends ProductBase {
  readonly status: 'ACTIVE';
}

/** Taken off sale for now: new reservations are refused, existing ones stand. */
export interface WithdrawnProduct extends ProductBase {
  readonly status: 'WITHDRAWN';
}

export type Product = ActiveProduct | WithdrawnProduct;
export type ProductStatus = Product['status'];

export const LEGAL_PRODUCT_MOVES = {
  ACTIVE: ['WITHDRAWN'],
  WITHDRAWN: ['ACTIVE'],
} as const satisfies Record<ProductStatus, readonly ProductStatus[]>;
