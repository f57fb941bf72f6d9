import type { Reservation } from '../../../lib/inventory/reservation.ts';
import { toTimestamp } from '../../../lib/platform/clock.ts';
import type { Disagreement } from '../disagreement.ts';
import type { Circumstances, Facts } from '../facts.ts';
import { inWords } from './order-stock.ts';

/** P4: only an existing order has stock held or sold. A tombstone holds nothing. */
export function orderOfReservation(reservation: Reservation, { order }: Facts): Disagreement[] {
  if (order !== undefined || reservation.status === 'RELEASED') return [];
  return [
    {
      check: 'order-missing',
      promise: 'P4',
      orderId: reservation.orderId,
      found: `a reservation that is ${inWords(reservation)}, of an order that is not stored`,
      expected: 'the order of the reservation',
      ...(reservation.status === 'HELD'
        ? {
            mend: 'release it at its revision',
            remedy: {
              kind: 'RELEASE_STOCK',
              reservation,
              correlationId: reservation.correlationId,
            },
          }
        : { mend: 'a person: restore the order from a backup of the table' }),
    },
  ];
}

/** P5: the sweeper releases every hold that is past its time. */
export function overdueHold(
  reservation: Reservation,
  { order }: Facts,
  { nowMs, overdueAfterMs }: Circumstances,
): Disagreement[] {
  // A reservation without an order is a finding of `orderOfReservation`.
  if (order === undefined || reservation.status !== 'HELD') return [];
  const { orderId, expiresAtMs } = reservation;
  if (expiresAtMs + overdueAfterMs >= nowMs) return [];
  return [
    {
      check: 'hold-overdue',
      promise: 'P5',
      orderId,
      found: `${inWords(reservation)}, until ${toTimestamp(expiresAtMs)}`,
      expected: 'the sweeper releases what has run out within a few rounds',
      mend: 'see whether the sweeper runs; do for this one what it would do',
      remedy: { kind: 'EXPIRE_HOLD', orderId },
    },
  ];
}
