import { toTimestamp } from '../../platform/clock.ts';
import type { Reservation } from '../reservation.ts';
import type { ReservationDocument } from './reservation-response.ts';

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
