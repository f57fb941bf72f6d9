import * as z from 'zod';
import { timestampSchema } from '../platform/schemas.ts';

/** The requests of `/inventory/reservation/{orderId}`. */
const revision = z.int().min(1);

export const reserveBodySchema = z.strictObject({
  revision,
  /** A modification: what is held already keeps its time. */
  keepsTime: z.boolean().default(false),
  items: z
    .array(z.strictObject({ productId: z.string().min(1).max(100), quantity: z.int().min(1) }))
    .min(1)
    .max(20)
    .refine(
      (items) => new Set(items.map(({ productId }) => productId)).size === items.length,
      'must name each product once',
    ),
});
export const extendBodySchema = z.strictObject({ revision, until: timestampSchema });
export const confirmBodySchema = z.strictObject({ revision, paymentId: z.string().min(1) });
export const releaseQuerySchema = z.strictObject({
  revision: z.coerce
    .number()
    .int()
    .min(1)
    .describe('What is to be released: this revision, or a lower one.'),
});
