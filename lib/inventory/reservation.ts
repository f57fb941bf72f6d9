import type { Money } from '../money.ts';

export interface ReservationLine {
  readonly productId: string;
  readonly quantity: number;
  /** Frozen when the product was first reserved for this order. */
  readonly unitPrice: Money;
}

interface ReservationBase {
  readonly orderId: string;
  /** The order's reservation intent that this state answers; it never decreases. */
  readonly revision: number;
  /** Counts the writes of the reservation. */
  readonly version: number;
}

/** Stock is set aside until `expiresAtMs`. */
export interface HeldReservation extends ReservationBase {
  readonly status: 'HELD';
  readonly lines: readonly ReservationLine[];
  readonly expiresAtMs: number;
  /** Of the call that reserved it, for the sweep that expires it. */
  readonly correlationId: string;
}

/** Sold for this payment, for good. */
export interface ConfirmedReservation extends ReservationBase {
  readonly status: 'CONFIRMED';
  readonly lines: readonly ReservationLine[];
  readonly paymentId: string;
}

/** A tombstone: nothing is held, and no reserve at or below its revision is ever accepted again. */
export interface ReleasedReservation extends ReservationBase {
  readonly status: 'RELEASED';
  readonly because: 'RELEASED' | 'EXPIRED';
}

export type Reservation = HeldReservation | ConfirmedReservation | ReleasedReservation;
export type ReservationStatus = Reservation['status'];

/** Decision on a `PUT` at a revision (specification, section 5). */
export type ReserveDecision =
  | { readonly kind: 'RESERVE' }
  | { readonly kind: 'ADJUST'; readonly held: HeldReservation }
  | { readonly kind: 'ANSWER'; readonly current: HeldReservation | ConfirmedReservation }
  | { readonly kind: 'REFUSE'; readonly because: 'STALE_REVISION' | 'RESERVATION_GONE' };

/**
 * Adjusts at a higher revision, and returns the current state at the same one, never a remembered
 * success. Refuses a lower revision, and one at or below a tombstone's. Sold stock is not reserved again.
 */
export function decideReserve(stored: Reservation | undefined, revision: number): ReserveDecision {
  if (stored === undefined) return { kind: 'RESERVE' };
  if (revision < stored.revision) return { kind: 'REFUSE', because: 'STALE_REVISION' };
  switch (stored.status) {
    case 'HELD':
      return revision === stored.revision
        ? { kind: 'ANSWER', current: stored }
        : { kind: 'ADJUST', held: stored };
    case 'CONFIRMED':
      return revision === stored.revision
        ? { kind: 'ANSWER', current: stored }
        : { kind: 'REFUSE', because: 'RESERVATION_GONE' };
    case 'RELEASED':
      return revision === stored.revision
        ? { kind: 'REFUSE', because: 'RESERVATION_GONE' }
        : { kind: 'RESERVE' };
  }
}

/** Decision on a `DELETE` at a revision. */
export type ReleaseDecision =
  | { readonly kind: 'RELEASE'; readonly held: HeldReservation }
  | { readonly kind: 'MARK' }
  | { readonly kind: 'NOTHING'; readonly current: Reservation };

/**
 * Acts unless the stored revision is higher, and always leaves a tombstone, even if nothing was stored: a
 * late reserve cannot resurrect, and a late release cannot take a newer reservation.
 */
export function decideRelease(stored: Reservation | undefined, revision: number): ReleaseDecision {
  if (stored === undefined) return { kind: 'MARK' };
  if (stored.revision > revision) return { kind: 'NOTHING', current: stored };
  switch (stored.status) {
    case 'HELD':
      return { kind: 'RELEASE', held: stored };
    case 'RELEASED':
      return stored.revision === revision ? { kind: 'NOTHING', current: stored } : { kind: 'MARK' };
    case 'CONFIRMED':
      return { kind: 'NOTHING', current: stored };
  }
}
