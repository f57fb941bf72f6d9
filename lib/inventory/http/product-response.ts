import * as z from 'zod';
import { moneySchema } from '../../platform/schemas.ts';

/** Products as the API shows them. The compiler checks the view against these schemas. */
export const productSchema = z.object({
  productId: z.string(),
  name: z.string(),
  description: z.string(),
  unitPrice: moneySchema,
  active: z.boolean().describe('True if it can be ordered.'),
  available: z.int().min(0).describe('Pieces that can be ordered now.'),
  maxPerOrder: z
    .int()
    .min(1)
    .optional()
    .describe('Pieces that one order may have of it; absent: `DEFAULT_MAX_PER_ORDER`.'),
  reserved: z.int().min(0).optional().describe('Held for orders; with scope products:write.'),
  sold: z.int().min(0).optional().describe('With scope products:write.'),
  received: z.int().min(0).optional().describe('In all; with scope products:write.'),
});

export const productPageSchema = z.object({
  products: z.array(productSchema),
  next: z.string().nullable().describe('The cursor of the next page; null on the last one.'),
});

export type ProductDocument = z.infer<typeof productSchema>;
export type ProductPageDocument = z.infer<typeof productPageSchema>;
