import { assertNever } from '../platform/errors.ts';
import { type StockChange, untilCommitted } from './inventory-repository.ts';
import type { InventoryService } from './inventory-service.ts';
import type { Product } from './product.ts';
import {
  MixedCurrencies,
  OutOfStock,
  ProductUnavailable,
  ReservationGone,
  StaleRevision,
  UnknownProduct,
} from './refusals.ts';
import {
  type ConfirmedReservation,
  decideReserve,
  type HeldReservation,
  type ReservationLine,
} from './reservation.ts';

export interface ReserveRequest {
  readonly orderId: string;
  readonly correlationId: string;
  readonly revision: number;
  /** For a modification: the held reservation keeps its expiry time. */
  readonly keepsTime?: boolean;
  /** One line per product, quantities at least 1. */
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[];
}

/**
 * Reserves all lines or none, at a revision (specification, section 5). Repeating it at the same
 * revision returns the stored reservation. A higher revision adjusts the difference and keeps the
 * prices of products that stay.
 * @throws OutOfStock, UnknownProduct, ProductUnavailable, MixedCurrencies: nothing was reserved.
 * @throws StaleRevision, ReservationGone: the revision is too old to be reserved.
 * @throws LockContention, InfrastructureUnavailable: try again with the same revision.
 */
export function reserveProducts(
  inventory: InventoryService,
  request: ReserveRequest,
): Promise<HeldReservation | ConfirmedReservation> {
  return untilCommitted<HeldReservation | ConfirmedReservation>(inventory, async () => {
    const { reservation: stored, products } = await inventory.repository.view(
      request.orderId,
      request.lines.map((line) => line.productId),
    );
    const decision = decideReserve(stored, request.revision);
    switch (decision.kind) {
      case 'ANSWER':
        return { outcome: 'COMMITTED', result: decision.current };
      case 'REFUSE':
        throw decision.because === 'STALE_REVISION'
          ? new StaleRevision(StaleRevision.refusal.advice)
          : new ReservationGone('This reservation was ended; reserve at a higher revision.');
      case 'RESERVE':
      case 'ADJUST': {
        const held = decision.kind === 'ADJUST' ? decision.held : undefined;
        const lines = priceLines(request, products, held);
        const next: HeldReservation = {
          status: 'HELD',
          orderId: request.orderId,
          correlationId: request.correlationId,
          revision: request.revision,
          version: (stored?.version ?? 0) + 1,
          lines,
          expiresAtMs:
            held !== undefined && request.keepsTime === true
              ? held.expiresAtMs
              : inventory.clock.now() + inventory.config.RESERVATION_TTL_SECONDS * 1000,
        };
        const changes = stockDifference(held?.lines ?? [], lines);
        const impossible = impossibility(changes, products);
        if (impossible !== undefined) {
          // Each item was read consistently, but not all at one moment. A parallel call of this
          // order may have taken the missing stock.
          const since = await inventory.repository.findReservation(request.orderId);
          if (since?.version !== stored?.version) return { outcome: 'CHANGED', result: next };
          throw impossible;
        }
        return { outcome: await inventory.repository.commit(next, stored, changes), result: next };
      }
      default:
        return assertNever(decision);
    }
  });
}

function priceLines(
  request: ReserveRequest,
  products: ReadonlyMap<string, Product>,
  held: HeldReservation | undefined,
): ReservationLine[] {
  const frozen = new Map(held?.lines.map((line) => [line.productId, line.unitPrice]));
  const lines = request.lines.map(({ productId, quantity }) => {
    const product = products.get(productId);
    if (product === undefined) {
      throw new UnknownProduct(`There is no product ${productId}; see GET /product.`, {
        details: { productId },
      });
    }
    return { productId, quantity, unitPrice: frozen.get(productId) ?? product.unitPrice };
  });
  if (new Set(lines.map((line) => line.unitPrice.currency)).size > 1) {
    throw new MixedCurrencies(
      'The products of one order must have one currency; order them separately.',
    );
  }
  return lines;
}

/** Computes stock changes: positive differences are taken from available stock, negative ones given back. */
function stockDifference(
  before: readonly ReservationLine[],
  after: readonly ReservationLine[],
): StockChange[] {
  const difference = new Map<string, number>();
  for (const line of after) difference.set(line.productId, line.quantity);
  for (const line of before) {
    difference.set(line.productId, (difference.get(line.productId) ?? 0) - line.quantity);
  }
  return [...difference]
    .filter(([, quantity]) => quantity !== 0)
    .map(([productId, quantity]) => ({
      productId,
      available: -quantity,
      reserved: quantity,
      sold: 0,
    }));
}

/** Finds a clear refusal in the products just read; the transaction's conditions check the same again. */
function impossibility(
  changes: readonly StockChange[],
  products: ReadonlyMap<string, Product>,
): Error | undefined {
  for (const { productId, available } of changes) {
    const product = products.get(productId);
    if (product === undefined || available >= 0) continue;
    if (product.status === 'WITHDRAWN') {
      return new ProductUnavailable(`${productId} is not on sale at the moment; retry later.`, {
        details: { productId },
      });
    }
    if (product.available < -available) {
      return new OutOfStock(
        `Only ${String(product.available)} of ${productId} can be ordered; order fewer.`,
        { details: { productId, available: product.available } },
      );
    }
  }
  return undefined;
}
