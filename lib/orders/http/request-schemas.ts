import * as z from 'zod';
import {
  MAX_ID_CHARACTERS,
  MAX_LINES_PER_ORDER,
  MAX_PAYMENT_TOKEN_CHARACTERS,
  MAX_PIECES_PER_LINE,
} from '../../limits.ts';

/** Body of `POST /order` and of `PUT /order/{orderId}`. Zero and negative quantities are well-formed; the use case rejects them later. */
export const itemsBodySchema = z.strictObject({
  items: z
    .array(
      z.strictObject({
        productId: z.string().min(1).max(MAX_ID_CHARACTERS),
        quantity: z
          .int()
          .describe(`1 to ${String(MAX_PIECES_PER_LINE)}, also after equal products are added up.`),
      }),
    )
    .min(1)
    .max(MAX_LINES_PER_ORDER),
});

export const paymentBodySchema = z.strictObject({
  orderId: z.string().min(1).max(MAX_ID_CHARACTERS),
  paymentMethod: z.strictObject({ token: z.string().min(1).max(MAX_PAYMENT_TOKEN_CHARACTERS) }),
});

export const paymentBodyExample: z.input<typeof paymentBodySchema> = {
  orderId: 'ord_5f0c2d9ab8f34e61a7d2c49e01',
  paymentMethod: { token: 'tok_ok' },
};
