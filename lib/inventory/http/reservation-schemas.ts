import * as z from 'zod';
import { MAX_ID_CHARACTERS, MAX_LINES_PER_ORDER, MAX_PIECES_PER_LINE } from '../../limits.ts';
import { timestampSchema } from '../../platform/schemas.ts';

/** The requests of `/inventory/reservation/{orderId}`. */
const revision = z.int().min(1);

export const reserveBodySchema = z.strictObject({
  revision,
  /** True for a modification: stock that is held already keeps its expiry time. */
  keepsTime: z.boolean().default(false),
  items: z
    .array(
      z.strictObject({
        productId: z.string().min(1).max(MAX_ID_CHARACTERS),
        quantity: z.int().min(1).max(MAX_PIECES_PER_LINE),
      }),
    )
    .min(1)
    .max(MAX_LINES_PER_ORDER)
    .refine(
      (items) => new Set(items.map(({ productId }) => productId)).size === items.length,
      'must name each product once',
    ),
});
export const extendBodySchema = z.strictObject({ revision, until: timestampSchema });
export const confirmBodySchema = z.strictObject({ revision, paymentId: z.string().min(1) });
export const releaseQuerySchema = z.strictObject({
  revision: z.coerce.number().int().min(1).describe('Releases this revision or a lower one.'),
});
