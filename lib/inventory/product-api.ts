import * as z from 'zod';
import { pageQuerySchema } from '../platform/paging.ts';

/** The scope that shows and changes what others do not see. */
export const MANAGE_PRODUCTS = 'products:write';

const PRODUCT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const MOST = 1_000_000_000;

const name = z.string().max(200).regex(/\S/, 'must not be empty');
const description = z.string().max(2000);
const unitPrice = z.strictObject({
  amount: z.int().min(1).max(MOST),
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
  stock: z.int().min(0).max(MOST),
  active: z.boolean().default(true),
});

export const changeProductBodySchema = z
  .strictObject({ name, description, unitPrice, active: z.boolean() })
  .partial()
  .refine(
    (change) => Object.keys(change).length > 0,
    'Give at least one of name, description, unitPrice and active',
  );

export const receiveStockBodySchema = z.strictObject({ quantity: z.int().min(1).max(MOST) });

export const listProductsQuerySchema = pageQuerySchema({
  defaultLimit: 50,
  maximumLimit: 100,
  position: PRODUCT_ID,
});
