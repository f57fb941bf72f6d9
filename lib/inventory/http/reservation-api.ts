import { hash, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import {
  MAX_ID_CHARACTERS,
  MAX_LINES_PER_ORDER,
  MAX_PIECES_PER_LINE,
  PAYMENT_ID,
} from '../../limits.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { Unauthenticated } from '../../platform/errors.ts';
import { type Access, NOBODY } from '../../platform/http/endpoint.ts';
import { countRefusedAccess } from '../../platform/http/refused-access.ts';
import { perRuntime } from '../../platform/lambda/runtime.ts';
import { secretReader } from '../../platform/secrets.ts';
import type { Reservation } from '../reservation.ts';
import { type ReservationDocument, SERVICE_CREDENTIAL_HEADER } from './reservation-response.ts';

// Calls of the Order Service: its credential, the requests of `/inventory/reservation/{orderId}`, and their answer

const credentials = perRuntime((runtime) => secretReader(runtime, 'INVENTORY_CREDENTIAL'));

/** Access for the Order Service only, by its credential. */
export const forOrderService = {
  callers: 'service',
  header: SERVICE_CREDENTIAL_HEADER,
  countRefused: countRefusedAccess,
  /** Compares a token with the credentials that are valid now, in constant time. */
  async authenticate(token: string) {
    const presented = hash('sha256', token, 'buffer');
    for (const credential of await credentials()()) {
      if (timingSafeEqual(hash('sha256', credential, 'buffer'), presented)) return NOBODY;
    }
    throw new Unauthenticated('Only the Order Service may call this; its credential is not valid.');
  },
} as const satisfies Access;

const revision = z.int().min(1);

/** Inventory holds stock for at most MAX_HOLD_SECONDS, whatever is asked for. */
const holdSeconds = z.int().min(1);

const reserveBodySchema = z.strictObject({
  revision,
  holdSeconds,
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
  example: { revision: 1, holdSeconds: 6629, items: [{ productId: 'prod-mug', quantity: 2 }] },
};

export const extendBody = {
  schema: z.strictObject({ revision, holdSeconds }),
  example: { revision: 1, holdSeconds: 5607 },
};

export const confirmBody = {
  schema: z.strictObject({ revision, paymentId: z.string().regex(PAYMENT_ID) }),
  example: { revision: 1, paymentId: 'pay_5f0c2d9ab8f34e61a7d2c49e01_91b7e0d3c25a4f868e1f7a6b30' },
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

/** @param nowMs this service's time: `remainingMs` is a duration, so that two clocks do not matter. */
export function toReservationDocument(
  reservation: Reservation,
  nowMs: number,
): ReservationDocument {
  return {
    orderId: reservation.orderId,
    status: reservation.status,
    revision: reservation.revision,
    items: reservation.status === 'RELEASED' ? [] : [...reservation.lines],
    expiresAt: reservation.status === 'HELD' ? toTimestamp(reservation.expiresAtMs) : null,
    remainingMs:
      reservation.status === 'HELD' ? Math.max(0, reservation.expiresAtMs - nowMs) : null,
    paymentId: reservation.status === 'CONFIRMED' ? reservation.paymentId : null,
  };
}
