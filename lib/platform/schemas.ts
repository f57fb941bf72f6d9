import * as z from 'zod';

/** Integer minor units plus an ISO 4217 currency. */
export const moneySchema = z.strictObject({
  amount: z.int().min(0),
  currency: z.string().regex(/^[A-Z]{3}$/),
});

/** RFC 3339 UTC. */
export const timestampSchema = z.iso.datetime();
