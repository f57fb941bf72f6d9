import * as z from 'zod';
import { MAX_LINES } from './order.ts';

/** What users send; zero and negative quantities are well-formed and judged later. */
export const itemsBodySchema = z.strictObject({
  items: z
    .array(
      z.strictObject({
        productId: z.string().min(1).max(100),
        quantity: z.int().describe('1 to 10000; equal products are added up.'),
      }),
    )
    .min(1)
    .max(MAX_LINES),
});

export const paymentBodySchema = z.strictObject({
  orderId: z.string().min(1).max(100),
  paymentMethod: z.strictObject({ token: z.string().min(1).max(200) }),
});
