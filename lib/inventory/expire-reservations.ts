import { loggerFor } from '../platform/lambda/logging.ts';
import { observe } from '../platform/lambda/observe.ts';
import { type Round, workThrough } from '../platform/lambda/round.ts';
import { expireReservation } from './end-reservation.ts';
import { EXPIRY_SHARDS, type ExpiryCandidate } from './inventory-repository.ts';
import type { InventoryService } from './inventory-service.ts';

/**
 * Few: what expires together was often reserved together, of one product in demand. Many at once
 * would only stand in each other's way there, and in the way of those who want to buy it.
 */
const CONCURRENCY = 4;

/**
 * The sweeper: releases every held reservation whose time is up. One that cannot be released now
 * does not keep the others from it and is found again by the next sweep.
 * @param hasTime false when nothing new is to be begun any more; the next sweep goes on.
 */
export function expireReservations(
  inventory: InventoryService,
  hasTime: () => boolean,
): Promise<Round> {
  const nowMs = inventory.clock.now();
  return workThrough<ExpiryCandidate>({
    shardCount: EXPIRY_SHARDS,
    firstShard: Math.floor(inventory.random() * EXPIRY_SHARDS),
    pagesOf: (shard) => inventory.repository.expiredReservations(shard, nowMs),
    overdueMs: ({ expiresAtMs }) => nowMs - expiresAtMs,
    concurrency: CONCURRENCY,
    handle: (candidate) => expire(inventory, candidate),
    hasTime,
  });
}

async function expire(
  inventory: InventoryService,
  { orderId, correlationId }: ExpiryCandidate,
): Promise<boolean> {
  const about = { operation: 'expire-reservations', orderId, correlationId };
  try {
    if (!(await expireReservation(inventory, orderId))) return false;
    observe('ReservationExpired', about, {});
    return true;
  } catch (error) {
    loggerFor(about).error('Reservation could not be expired; the next sweep tries again', {
      error: error as Error,
    });
    return false;
  }
}
