import * as z from 'zod/mini';
import { lazily, type StoredItem } from '../platform/dynamo/items.ts';
import { packedHistory, unpackedHistory } from '../platform/dynamo/stored-history.ts';
import { moneySchema } from '../platform/schemas.ts';
import { PAYMENT_STATUSES, type Payment } from './payment.ts';

/** A payment that was read from its order's item. */
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

/** A payment in its order's item, which says by its place which attempt it is. */
export function packedPayment(payment: Payment) {
  const { attempt: _place, createdAtMs: _first, history, ...fields } = payment;
  return { ...fields, history: packedHistory(history) };
}

/** The payment at a place of its order's item, from 1; what is malformed stays as it is. */
export function unpackedPayment(stored: unknown, place: number) {
  const { history: storedHistory, ...fields } = (stored ?? {}) as StoredItem;
  const history = unpackedHistory(storedHistory);
  const [first] = Array.isArray(history) ? (history as { readonly at?: string }[]) : [];
  return { ...fields, attempt: place, createdAtMs: Date.parse(first?.at ?? ''), history };
}
