import * as z from 'zod';
import {
  MAX_PIECES_PER_LINE,
  MAX_PIECES_PER_RECEIPT,
  MAX_PRODUCT_DESCRIPTION_CHARACTERS,
  MAX_PRODUCT_NAME_CHARACTERS,
  MAX_UNIT_PRICE_MINOR,
  PRODUCT_ID,
  PRODUCTS_PER_PAGE,
} from '../../limits.ts';
import { pageQuerySchema } from '../../platform/dynamo/paging.ts';
import type { Product } from '../product.ts';
import type { ProductDocument } from './product-response.ts';

/** Scope of those who manage products: shows all counters of the stock, and allows changes. */
export const MANAGE_PRODUCTS = 'products:write';

const name = z.string().max(MAX_PRODUCT_NAME_CHARACTERS).regex(/\S/, 'must not be empty');
const description = z.string().max(MAX_PRODUCT_DESCRIPTION_CHARACTERS);
/** No order has more of a product, whatever its manager allows. */
const maxPerOrder = z
  .int()
  .min(1)
  .max(MAX_PIECES_PER_LINE)
  .describe('Pieces that one order may have of it; absent: `DEFAULT_MAX_PER_ORDER`.');
const unitPrice = z.strictObject({
  amount: z.int().min(1).max(MAX_UNIT_PRICE_MINOR),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code, such as EUR'),
});

export const createProductBodySchema = z.strictObject({
  productId: z
    .string()
    .regex(PRODUCT_ID, `must match ${PRODUCT_ID.source}; leave it out to be given one`)
    .optional(),
  name,
  description,
  unitPrice,
  stock: z.int().min(0).max(MAX_PIECES_PER_RECEIPT),
  active: z.boolean().default(true),
  maxPerOrder: maxPerOrder.optional(),
});

export const changeProductBodySchema = z
  .strictObject({ name, description, unitPrice, active: z.boolean(), maxPerOrder })
  .partial()
  .refine(
    (change) => Object.keys(change).length > 0,
    'Give at least one of name, description, unitPrice, active and maxPerOrder',
  )
  .meta({ minProperties: 1 });

export const receiveStockBodySchema = z.strictObject({
  quantity: z.int().min(1).max(MAX_PIECES_PER_RECEIPT),
});

export const listProductsQuerySchema = pageQuerySchema({
  defaultLimit: PRODUCTS_PER_PAGE.default,
  maximumLimit: PRODUCTS_PER_PAGE.max,
  position: PRODUCT_ID,
});

/** The product as the API shows it. Only those who manage products see the counters. */
export function toProductDocument(product: Product, showsStock: boolean): ProductDocument {
  return {
    productId: product.productId,
    name: product.name,
    description: product.description,
    unitPrice: product.unitPrice,
    active: product.status === 'ACTIVE',
    available: product.available,
    ...(product.maxPerOrder === undefined ? {} : { maxPerOrder: product.maxPerOrder }),
    ...(showsStock
      ? { reserved: product.reserved, sold: product.sold, received: product.received }
      : {}),
  };
}
