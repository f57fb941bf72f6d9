import * as z from 'zod';
import { moneySchema, timestampSchema } from '../../platform/schemas.ts';

/** Header of the Order Service's credential. `Authorization` holds the signature that a function URL asks for. */
export const SERVICE_CREDENTIAL_HEADER = 'x-service-credential';

/** Answers of `/inventory/reservation/{orderId}`, for the service that writes them and the client that reads them. */
export const reservationSchema = z.object({
  orderId: z.string(),
  status: z.enum(['HELD', 'CONFIRMED', 'RELEASED']),
  revision: z.int().min(1),
  items: z.array(z.object({ productId: z.string(), quantity: z.int(), unitPrice: moneySchema })),
  expiresAt: timestampSchema.nullable(),
  /** Time for which the stock is still held, when this was answered. */
  remainingMs: z.int().min(0).nullable(),
  paymentId: z.string().nullable(),
});

export type ReservationDocument = z.infer<typeof reservationSchema>;
