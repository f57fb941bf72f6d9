import * as z from 'zod';
import { moneySchema, timestampSchema } from '../../platform/schemas.ts';

/** The answers of `/inventory/reservation/{orderId}`, as the service gives and its client reads them. */
export const reservationSchema = z.object({
  orderId: z.string(),
  status: z.enum(['HELD', 'CONFIRMED', 'RELEASED']),
  revision: z.int().min(1),
  items: z.array(z.object({ productId: z.string(), quantity: z.int(), unitPrice: moneySchema })),
  expiresAt: timestampSchema.nullable(),
  paymentId: z.string().nullable(),
});

export type ReservationDocument = z.infer<typeof reservationSchema>;
