import { NotFound } from '../platform/errors.ts';
import { type StockChange, untilCommitted } from './inventory-repository.ts';
import type { InventoryService } from './inventory-service.ts';
import { ReservationGone } from './refusals.ts';
import {
  type ConfirmedReservation,
  decideRelease,
  type HeldReservation,
  type ReleasedReservation,
  type Reservation,
} from './reservation.ts';

/** @throws NotFound if this order never reserved anything. */
export async function getReservation(
  inventory: InventoryService,
  orderId: string,
): Promise<Reservation> {
  const stored = await inventory.repository.findReservation(orderId);
  if (stored === undefined) throw new NotFound('Nothing was ever reserved for this order.');
  return stored;
}

/**
 * Gives the stock back, unless a newer revision holds it. Leaves a tombstone at `revision` even if
 * nothing was reserved. Safe to repeat, and safe if the reserve never arrived.
 * @returns the stored reservation; a newer one or a sold one is left as it is.
 */
export function releaseReservation(
  inventory: InventoryService,
  orderId: string,
  revision: number,
): Promise<Reservation> {
  return untilCommitted<Reservation>(inventory, async () => {
    const stored = await inventory.repository.findReservation(orderId);
    const decision = decideRelease(stored, revision);
    switch (decision.kind) {
      case 'NOTHING':
        return { outcome: 'COMMITTED', result: decision.current };
      case 'MARK':
      case 'RELEASE': {
        const next: ReleasedReservation = {
          status: 'RELEASED',
          because: 'RELEASED',
          orderId,
          revision,
          version: (stored?.version ?? 0) + 1,
        };
        const changes = decision.kind === 'RELEASE' ? givenBack(decision.held) : [];
        return { outcome: await inventory.repository.commit(next, stored, changes), result: next };
      }
    }
  });
}

/**
 * Holds the stock at least until `untilMs`. Returns a sold reservation as it is.
 * @throws ReservationGone if this revision is not held any more.
 */
export function extendReservation(
  inventory: InventoryService,
  request: { readonly orderId: string; readonly revision: number; readonly untilMs: number },
): Promise<HeldReservation | ConfirmedReservation> {
  return untilCommitted<HeldReservation | ConfirmedReservation>(inventory, async () => {
    const stored = await currentReservation(inventory, request.orderId, request.revision);
    if (stored.status === 'CONFIRMED' || stored.expiresAtMs >= request.untilMs) {
      return { outcome: 'COMMITTED', result: stored };
    }
    const next = { ...stored, version: stored.version + 1, expiresAtMs: request.untilMs };
    return { outcome: await inventory.repository.commit(next, stored, []), result: next };
  });
}

/**
 * Turns reserved into sold, for one payment. Repeating it for the same payment changes nothing.
 * @throws ReservationGone if this revision is not held any more or was sold to another payment.
 */
export function confirmReservation(
  inventory: InventoryService,
  request: { readonly orderId: string; readonly revision: number; readonly paymentId: string },
): Promise<ConfirmedReservation> {
  return untilCommitted<ConfirmedReservation>(inventory, async () => {
    const stored = await currentReservation(inventory, request.orderId, request.revision);
    if (stored.status === 'CONFIRMED') {
      if (stored.paymentId !== request.paymentId) {
        throw new ReservationGone('This reservation was sold to another payment.');
      }
      return { outcome: 'COMMITTED', result: stored };
    }
    const next: ConfirmedReservation = {
      status: 'CONFIRMED',
      orderId: stored.orderId,
      revision: stored.revision,
      version: stored.version + 1,
      lines: stored.lines,
      paymentId: request.paymentId,
    };
    const changes = stored.lines.map(({ productId, quantity }) => ({
      productId,
      available: 0,
      reserved: -quantity,
      sold: quantity,
    }));
    return { outcome: await inventory.repository.commit(next, stored, changes), result: next };
  });
}

/**
 * Releases one expired reservation, independent of its saga. It contends with extend and confirm on
 * the reservation's own conditional write.
 * @returns true if this call released it.
 */
export function expireReservation(inventory: InventoryService, orderId: string): Promise<boolean> {
  return untilCommitted<boolean>(inventory, async () => {
    const stored = await inventory.repository.findReservation(orderId);
    if (stored?.status !== 'HELD' || stored.expiresAtMs > inventory.clock.now()) {
      return { outcome: 'COMMITTED', result: false };
    }
    const next: ReleasedReservation = {
      status: 'RELEASED',
      because: 'EXPIRED',
      orderId,
      revision: stored.revision,
      version: stored.version + 1,
    };
    const outcome = await inventory.repository.commit(next, stored, givenBack(stored));
    return { outcome, result: true };
  });
}

async function currentReservation(
  inventory: InventoryService,
  orderId: string,
  revision: number,
): Promise<HeldReservation | ConfirmedReservation> {
  const stored = await inventory.repository.findReservation(orderId);
  if (stored === undefined || stored.status === 'RELEASED' || stored.revision !== revision) {
    throw new ReservationGone(ReservationGone.refusal.advice);
  }
  return stored;
}

function givenBack(held: HeldReservation): StockChange[] {
  return held.lines.map(({ productId, quantity }) => ({
    productId,
    available: quantity,
    reserved: -quantity,
    sold: 0,
  }));
}
