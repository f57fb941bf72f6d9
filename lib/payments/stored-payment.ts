import * as z from 'zod/mini';
import { lazily } from '../platform/dynamo/items.ts';
import { moneySchema } from '../platform/schemas.ts';
import { PAYMENT_STATUSES } from './payment.ts';

/** A payment in its order's item. */
export const storedPaymentSchema = lazily(() => {
  const status = z.enum(PAYMENT_STATUSES);
  const base = {
    paymentId: z.string(),
    attempt: z.int(),
    revision: z.int(),
    amount: moneySchema,
    createdAtMs: z.number(),
    history: z.array(
      z.object({ from: z.nullable(status), to: status, reason: z.string(), at: z.string() }),
    ),
  };
  const ended = { ...base, code: z.string() };
  return z.discriminatedUnion('status', [
    z.object({ ...base, status: z.literal('INITIATED'), methodId: z.string() }),
    z.object({
      ...base,
      status: z.literal('PENDING'),
      methodId: z.string(),
      acknowledgeByMs: z.number(),
    }),
    z.object({
      ...base,
      status: z.literal('CAPTURED'),
      refundOwed: z.exactOptional(z.object({ reason: z.string(), dueAtMs: z.number() })),
    }),
    z.object({ ...ended, status: z.literal('DECLINED') }),
    z.object({ ...ended, status: z.literal('VOIDED') }),
    z.object({ ...ended, status: z.literal('REFUNDED') }),
    z.object({
      ...ended,
      status: z.literal('FAILED'),
      voidOwed: z.exactOptional(z.object({ dueAtMs: z.number() })),
    }),
  ]);
});
