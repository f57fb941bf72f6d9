import { CONFLICT } from '../platform/dynamo/items.ts';
import { assertNever, NotFound } from '../platform/errors.ts';
import { type StockChange, untilCommitted } from './inventory-repository.ts';
import type { InventoryService } from './inventory-service.ts';
import type { Product } from './product.ts';
import {
  MixedCurrencies,
  ReservationGone,
  refusalOfPieces,
  StaleRevision,
  UnknownProduct,
} from './refusals.ts';
import type {
  ConfirmedReservation,
  HeldReservation,
  ReleasedReservation,
  Reservation,
  ReservationLine,
} from './reservation.ts';

export interface ReserveRequest {
  readonly orderId: string;
  readonly correlationId: string;
  readonly revision: number;
  /** Time for which the stock is to be held, at most MAX_HOLD_SECONDS since it was taken. */
  readonly holdSeconds: number;
  /** For a modification: the held reservation keeps its expiry time. */
  readonly keepsTime?: boolean;
  /** One line per product, quantities at least 1. */
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[];
}

/**
 * Reserves all lines or none, at a revision (specification, section 5). Repeating it at the same
 * revision returns the stored reservation. A higher revision adjusts the difference and keeps the
 * prices of products that stay.
 * @throws OutOfStock, TooManyPieces, UnknownProduct, ProductUnavailable, MixedCurrencies: nothing was reserved.
 * @throws StaleRevision, ReservationGone: the revision is too old to be reserved.
 * @throws LockContention, InfrastructureUnavailable: try again with the same revision.
 */
export function reserveProducts(
  inventory: InventoryService,
  request: ReserveRequest,
): Promise<HeldReservation | ConfirmedReservation> {
  return untilCommitted<HeldReservation | ConfirmedReservation>(inventory, async () => {
    const { orderId, correlationId, revision } = request;
    const { reservation: stored, products } = await inventory.repository.view(
      orderId,
      request.lines,
    );
    const decision = decideReserve(stored, revision);
    switch (decision.kind) {
      case 'ANSWER':
        return decision.current;
      case 'REFUSE':
        throw decision.because === 'STALE_REVISION'
          ? new StaleRevision(StaleRevision.refusal.advice)
          : new ReservationGone('This reservation was ended; reserve at a higher revision.');
      case 'RESERVE':
      case 'ADJUST': {
        const held = decision.kind === 'ADJUST' ? decision.held : undefined;
        const { lines, changes, impossible } = planHold(
          request.lines,
          held,
          products,
          inventory.config.DEFAULT_MAX_PER_ORDER,
        );
        if (impossible !== undefined) {
          // Each item was read consistently, but not all at one moment. A parallel call of this
          // order may have taken the missing stock.
          const since = await inventory.repository.findReservation(orderId);
          if (since?.version !== stored?.version) return CONFLICT;
          throw impossible;
        }
        const heldSinceMs = held?.heldSinceMs ?? inventory.clock.now();
        const next: HeldReservation = {
          status: 'HELD',
          orderId,
          correlationId,
          revision,
          version: (stored?.version ?? 0) + 1,
          lines,
          heldSinceMs,
          expiresAtMs:
            held !== undefined && request.keepsTime === true
              ? held.expiresAtMs
              : holdEndMs(inventory, heldSinceMs, request.holdSeconds),
        };
        return inventory.repository.commit(next, stored, changes);
      }
      default:
        return assertNever(decision);
    }
  });
}

/** End of a hold that begins now: however often it is asked for, nobody holds stock for longer than the maximum. */
function holdEndMs(inventory: InventoryService, heldSinceMs: number, holdSeconds: number): number {
  const latestMs = heldSinceMs + inventory.config.MAX_HOLD_SECONDS * 1000;
  return Math.min(inventory.clock.now() + holdSeconds * 1000, latestMs);
}

/** Decision on a `PUT` at a revision (specification, section 5). */
type ReserveDecision =
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

interface HoldPlan {
  readonly lines: readonly ReservationLine[];
  readonly changes: readonly StockChange[];
  /** Refusal by the products as read; the transaction's conditions check the same again. */
  readonly impossible: Error | undefined;
}

/** Prices the wanted lines, and computes the stock that each product gives or gets back for them. */
function planHold(
  wanted: ReserveRequest['lines'],
  held: HeldReservation | undefined,
  products: ReadonlyMap<string, Product>,
  defaultMaxPerOrder: number,
): HoldPlan {
  const before = new Map<string, ReservationLine>();
  for (const line of held?.lines ?? []) before.set(line.productId, line);
  const lines: ReservationLine[] = [];
  const changes: StockChange[] = [];
  const currencies = new Set<string>();
  let impossible: Error | undefined;
  for (const { productId, quantity } of wanted) {
    const product = products.get(productId);
    if (product === undefined) {
      throw new UnknownProduct(`There is no product ${productId}; see GET /product.`, {
        details: { productId },
      });
    }
    const former = before.get(productId);
    before.delete(productId);
    const unitPrice = former?.unitPrice ?? product.unitPrice;
    currencies.add(unitPrice.currency);
    lines.push({ productId, quantity, unitPrice });
    const taken = quantity - (former?.quantity ?? 0);
    if (taken !== 0) changes.push({ productId, available: -taken, reserved: taken, sold: 0 });
    // Held stock stays held, even if the limit was lowered since.
    if (taken > 0) {
      const { status, maxPerOrder = defaultMaxPerOrder } = product;
      const active = status === 'ACTIVE';
      impossible ??= refusalOfPieces({ ...product, active, maxPerOrder }, quantity, taken);
    }
  }
  if (currencies.size > 1) {
    throw new MixedCurrencies(
      'The products of one order must have one currency; order them separately.',
    );
  }
  for (const { productId, quantity } of before.values()) {
    changes.push({ productId, available: quantity, reserved: -quantity, sold: 0 });
  }
  return { lines, changes, impossible };
}

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
 * Holds the stock for at least `holdSeconds` from now, if the maximum allows. Returns a sold reservation as it is.
 * @throws ReservationGone if this revision is not held any more.
 */
export function extendReservation(
  inventory: InventoryService,
  request: { readonly orderId: string; readonly revision: number; readonly holdSeconds: number },
): Promise<HeldReservation | ConfirmedReservation> {
  return untilCommitted<HeldReservation | ConfirmedReservation>(inventory, async () => {
    const stored = await currentReservation(inventory, request.orderId, request.revision);
    if (stored.status === 'CONFIRMED') return stored;
    const expiresAtMs = holdEndMs(inventory, stored.heldSinceMs, request.holdSeconds);
    if (stored.expiresAtMs >= expiresAtMs) return stored;
    const next = { ...stored, version: stored.version + 1, expiresAtMs };
    return inventory.repository.commit(next, stored, []);
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
      if (stored.paymentId === request.paymentId) return stored;
      throw new ReservationGone('This reservation was sold to another payment.');
    }
    const next: ConfirmedReservation = {
      status: 'CONFIRMED',
      orderId: stored.orderId,
      revision: stored.revision,
      version: stored.version + 1,
      lines: stored.lines,
      paymentId: request.paymentId,
    };
    const sold: StockChange[] = [];
    for (const { productId, quantity } of stored.lines) {
      sold.push({ productId, available: 0, reserved: -quantity, sold: quantity });
    }
    return inventory.repository.commit(next, stored, sold);
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
        return decision.current;
      case 'MARK':
      case 'RELEASE': {
        const next: ReleasedReservation = {
          status: 'RELEASED',
          because: 'RELEASED',
          orderId,
          revision,
          version: (stored?.version ?? 0) + 1,
        };
        const changes = decision.kind === 'RELEASE' ? givenBack(decision.held.lines) : [];
        return inventory.repository.commit(next, stored, changes);
      }
    }
  });
}

/** Decision on a `DELETE` at a revision. */
type ReleaseDecision =
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

/**
 * Releases one expired reservation, independent of its saga. It contends with extend and confirm on
 * the reservation's own conditional write.
 * @returns true if this call released it.
 */
export function expireReservation(inventory: InventoryService, orderId: string): Promise<boolean> {
  return untilCommitted<boolean>(inventory, async () => {
    const stored = await inventory.repository.findReservation(orderId);
    if (stored?.status !== 'HELD' || stored.expiresAtMs > inventory.clock.now()) return false;
    const next: ReleasedReservation = {
      status: 'RELEASED',
      because: 'EXPIRED',
      orderId,
      revision: stored.revision,
      version: stored.version + 1,
    };
    const written = await inventory.repository.commit(next, stored, givenBack(stored.lines));
    return written === CONFLICT ? CONFLICT : true;
  });
}

function givenBack(lines: readonly ReservationLine[]): StockChange[] {
  return lines.map(({ productId, quantity }) => ({
    productId,
    available: quantity,
    reserved: -quantity,
    sold: 0,
  }));
}
