import { loggerFor } from '../platform/logging.ts';
import { observe } from '../platform/observe.ts';
import { expireReservation } from './end-reservation.ts';
import { EXPIRY_SHARDS } from './inventory-repository.ts';
import type { InventoryService } from './inventory-service.ts';

/**
 * The sweeper: releases every held reservation whose time is up. One that cannot be released now
 * does not keep the others from it and is found again by the next sweep.
 * @returns how many were released.
 */
export async function expireReservations(inventory: InventoryService): Promise<number> {
  let released = 0;
  const firstShard = Math.floor(inventory.random() * EXPIRY_SHARDS);
  const expired = inventory.repository.expiredReservations(inventory.clock.now(), firstShard);
  for await (const { orderId, correlationId } of expired) {
    const about = { operation: 'expire-reservations', orderId, correlationId };
    try {
      if (await expireReservation(inventory, orderId)) {
        released += 1;
        observe('ReservationExpired', about, {});
      }
    } catch (error) {
      loggerFor(about).error('Reservation could not be expired; the next sweep tries again', {
        error: error as Error,
      });
    }
  }
  return released;
}
