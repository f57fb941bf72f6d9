import * as z from 'zod';
import { MAX_ID_CHARACTERS, MAX_LINES_PER_ORDER, MAX_PIECES_PER_LINE } from '../../limits.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { timestampSchema } from '../../platform/schemas.ts';
import type { Reservation } from '../reservation.ts';
import type { ReservationDocument } from './reservation-response.ts';

// Requests of `/inventory/reservation/{orderId}`, and the answer to each

const revision = z.int().min(1);

const reserveBodySchema = z.strictObject({
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
    .refine(namesEachOnce, 'must name each product once'),
});

export const reserveBody = {
  schema: reserveBodySchema,
  example: { revision: 1, items: [{ productId: 'prod-mug', quantity: 2 }] },
};

export const extendBody = {
  schema: z.strictObject({ revision, until: timestampSchema }),
  example: { revision: 1, until: '2026-11-21T09:30:00.000Z' },
};

export const confirmBody = {
  schema: z.strictObject({ revision, paymentId: z.string().min(1) }),
  example: { revision: 1, paymentId: 'pay_91b7e0d3c25a4f868e1f7a6b30' },
};

/** Releases this revision or a lower one. */
export const releaseQuery = {
  schema: z.strictObject({ revision: z.coerce.number<number>().int().min(1) }),
  example: { revision: 1 },
};

function namesEachOnce(items: readonly { readonly productId: string }[]): boolean {
  const names = new Set<string>();
  for (const { productId } of items) names.add(productId);
  return names.size === items.length;
}

export function toReservationDocument(reservation: Reservation): ReservationDocument {
  return {
    orderId: reservation.orderId,
    status: reservation.status,
    revision: reservation.revision,
    items: reservation.status === 'RELEASED' ? [] : [...reservation.lines],
    expiresAt: reservation.status === 'HELD' ? toTimestamp(reservation.expiresAtMs) : null,
    paymentId: reservation.status === 'CONFIRMED' ? reservation.paymentId : null,
  };
}
