/*
 * Legal moves by hand, for the tests and the torture. The code has its own tables (LEGAL_MOVES in
 * lib/orders/moves.ts, LEGAL_PAYMENT_MOVES in lib/payments/payment.ts); tests compare them with these.
 * `NEW` is before the first write.
 */

/** The table in section 2 of the specification. */
export const ORDER_MOVES = [
  ['NEW', 'CREATED'],
  ['NEW', 'INVALID'],
  ['CREATED', 'PENDING_RESERVING_STOCK'],
  ['CREATED', 'ORDER_CANCELLED'],
  ['PENDING_RESERVING_STOCK', 'ORDER_CANCELLED'],
  ['PENDING_PAYMENT', 'ORDER_CANCELLED'],
  ['PAYMENT_FAILED', 'ORDER_CANCELLED'],
  ['ORDER_FAILED', 'ORDER_CANCELLED'],
  ['PENDING_RESERVING_STOCK', 'PENDING_PAYMENT'],
  ['PENDING_RESERVING_STOCK', 'PAYMENT_IN_PROGRESS'],
  ['PENDING_RESERVING_STOCK', 'INVALID'],
  ['PENDING_RESERVING_STOCK', 'ORDER_FAILED'],
  ['PENDING_RESERVING_STOCK', 'PAYMENT_FAILED'],
  ['PENDING_PAYMENT', 'PAYMENT_IN_PROGRESS'],
  ['PENDING_PAYMENT', 'PENDING_RESERVING_STOCK'],
  ['PENDING_PAYMENT', 'ORDER_FAILED'],
  ['PAYMENT_IN_PROGRESS', 'PAYMENT_DONE'],
  ['PAYMENT_IN_PROGRESS', 'PAYMENT_FAILED'],
  ['PAYMENT_IN_PROGRESS', 'PENDING_RESERVING_STOCK'],
  ['PAYMENT_FAILED', 'PENDING_RESERVING_STOCK'],
  ['ORDER_FAILED', 'CREATED'],
] as const;

/** A settled payment changes only if a late capture shows, or its money is refunded. */
export const PAYMENT_MOVES = [
  ['NEW', 'INITIATED'],
  ['INITIATED', 'PENDING'],
  ['INITIATED', 'CAPTURED'],
  ['INITIATED', 'DECLINED'],
  ['INITIATED', 'VOIDED'],
  ['INITIATED', 'FAILED'],
  ['PENDING', 'CAPTURED'],
  ['PENDING', 'DECLINED'],
  ['PENDING', 'VOIDED'],
  ['PENDING', 'FAILED'],
  ['FAILED', 'CAPTURED'],
  ['FAILED', 'DECLINED'],
  ['FAILED', 'VOIDED'],
  ['DECLINED', 'CAPTURED'],
  ['VOIDED', 'CAPTURED'],
  ['CAPTURED', 'REFUNDED'],
] as const;

/** Section 5 of the specification. A release leaves a tombstone even for an unknown order. */
export const RESERVATION_MOVES = [
  ['NEW', 'HELD'],
  ['NEW', 'RELEASED'],
  ['HELD', 'HELD'],
  ['HELD', 'CONFIRMED'],
  ['HELD', 'RELEASED'],
  ['RELEASED', 'HELD'],
  ['RELEASED', 'RELEASED'],
] as const;
