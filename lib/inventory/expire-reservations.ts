import { loggerFor } from '../platform/lambda/logging.ts';
import { observe } from '../platform/lambda/observe.ts';
import { type Round, workThrough } from '../platform/lambda/round.ts';
import { EXPIRY_SHARDS, type ExpiryCandidate } from './inventory-repository.ts';
import type { InventoryService } from './inventory-service.ts';
import { expireReservation } from './reservation-lifecycle.ts';

/**
 * Releases at a time. Reservations that expire together often hold the same product; more of them
 * would contend with each other and with buyers.
 */
const CONCURRENCY = 4;

/**
 * The sweeper: releases every expired reservation. A release that fails does not stop the others;
 * the next sweep finds it again.
 * @param hasTime false once no new release may begin; the next sweep goes on.
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
