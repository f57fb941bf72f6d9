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
  /** Time of the write that last took the stock; adjusting and extending keep it. */
  readonly heldSinceMs: number;
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
