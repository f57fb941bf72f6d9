import {
  EXPIRY_SHARDS,
  type ExpiryCandidate,
  type InventoryRepository,
} from '../../../../lib/inventory/inventory-repository.ts';
import type { InventoryService } from '../../../../lib/inventory/inventory-service.ts';
import type { Product } from '../../../../lib/inventory/product.ts';
import type {
  HeldReservation,
  Reservation,
  ReservationLine,
  ReservationStatus,
} from '../../../../lib/inventory/reservation.ts';
import { CONFLICT } from '../../../../lib/platform/dynamo/items.ts';
import { shardOf } from '../../../../lib/platform/ids.ts';

type StockChanges = Parameters<InventoryRepository['commit']>[2];

/** Awaited before every call of the repository, so that another operation can come in between. */
export type Turn = (call: string) => Promise<unknown>;

/**
 * The inventory table in memory. Each item is read at once. A commit is all or nothing, with the conditions
 * of DynamoDB's transaction: reservation as read, stock available and on sale.
 */
export class FakeInventoryRepository
  implements
    Pick<InventoryRepository, 'view' | 'findReservation' | 'commit' | 'expiredReservations'>
{
  readonly products = new Map<string, Product>();
  readonly reservations = new Map<string, Reservation>();
  /** Every status change that was committed. */
  readonly moves: (readonly [from: ReservationStatus | 'NEW', to: ReservationStatus])[] = [];
  /** Results of the next commits: if true, the commit fails like a transaction conflict. */
  readonly busy: boolean[] = [];
  readonly #turn: Turn;

  constructor(turn: Turn = () => Promise.resolve()) {
    this.#turn = turn;
  }

  /** Like DynamoDB's BatchGetItem: each item may be of a different moment. */
  async view(orderId: string, lines: readonly { readonly productId: string }[]) {
    const products = new Map<string, Product>();
    const [reservation] = await Promise.all([
      this.#turn(`reservation ${orderId}`).then(() => this.reservations.get(orderId)),
      ...lines.map(async ({ productId }) => {
        const found = await this.#findProduct(productId);
        if (found !== undefined) products.set(productId, found);
      }),
    ]);
    return { reservation, products };
  }

  async findReservation(orderId: string): Promise<Reservation | undefined> {
    return (await this.view(orderId, [])).reservation;
  }

  async #findProduct(productId: string): Promise<Product | undefined> {
    await this.#turn(`product ${productId}`);
    return this.products.get(productId);
  }

  async commit<Next extends Reservation>(
    next: Next,
    previous: Reservation | undefined,
    stockChanges: StockChanges,
  ): Promise<Next | typeof CONFLICT> {
    await this.#turn(`commit ${next.orderId} ${next.status}`);
    if (this.busy.shift() === true) return CONFLICT;
    const stored = this.reservations.get(next.orderId);
    if (stored?.status !== previous?.status || stored?.version !== previous?.version) {
      return CONFLICT;
    }
    if (new Set(stockChanges.map(({ productId }) => productId)).size < stockChanges.length) {
      throw new Error('ValidationException: one transaction changes one item once.');
    }
    const changed: Product[] = [];
    for (const { productId, available, reserved, sold } of stockChanges) {
      const product = this.products.get(productId);
      if (product === undefined) return CONFLICT;
      if (available < 0 && (product.available < -available || product.status !== 'ACTIVE')) {
        return CONFLICT;
      }
      if (reserved < 0 && product.reserved < -reserved) return CONFLICT;
      changed.push({
        ...product,
        available: product.available + available,
        reserved: product.reserved + reserved,
        sold: product.sold + sold,
      });
    }
    for (const product of changed) this.products.set(product.productId, product);
    this.reservations.set(next.orderId, next);
    this.moves.push([stored?.status ?? 'NEW', next.status]);
    return next;
  }

  async *expiredReservations(shard: number, nowMs: number): AsyncGenerator<ExpiryCandidate[]> {
    await this.#turn(`expired reservations ${shard}`);
    yield [...this.reservations.values()].filter(
      (reservation): reservation is HeldReservation =>
        reservation.status === 'HELD' &&
        reservation.expiresAtMs <= nowMs &&
        shardOf(reservation.orderId, EXPIRY_SHARDS) === shard,
    );
  }
}

export function product(
  productId: string,
  received: number,
  facts: Partial<Pick<Product, 'unitPrice' | 'status'>> = {},
): Product {
  return {
    productId,
    name: productId,
    createdAs: 'req',
    description: '',
    unitPrice: { amount: 100, currency: 'EUR' },
    status: 'ACTIVE',
    version: 1,
    available: received,
    reserved: 0,
    sold: 0,
    received,
    ...facts,
  };
}

/** A clock that stands still; a sleep on it takes no time. */
export class StillClock {
  nowMs = 1_772_366_400_000;
  now(): number {
    return this.nowMs;
  }
  schedule(_delayMs: number, callback: () => void): () => void {
    queueMicrotask(callback);
    return () => undefined;
  }
}

/** Usual hold. The longest is four times as long. */
export const TTL_SECONDS = 900;

/** The service over the fake, with only the members that the use cases of reservations call. */
export function inventoryOver(
  repository: FakeInventoryRepository,
  clock = new StillClock(),
): InventoryService {
  return {
    repository: repository as unknown as InventoryRepository,
    catalogue: undefined as unknown as InventoryService['catalogue'],
    clock,
    random: () => 0.5,
    ids: { random: () => 'random' },
    config: {
      MAX_HOLD_SECONDS: 4 * TTL_SECONDS,
      DEFAULT_MAX_PER_ORDER: 1000,
    } as InventoryService['config'],
  };
}

/** Violations of P1 in the stored stock; empty if it holds. */
export function brokenPromises(repository: FakeInventoryRepository): string[] {
  const held = new Map<string, number>();
  const sold = new Map<string, number>();
  const add = (sums: Map<string, number>, lines: readonly ReservationLine[]) => {
    for (const { productId, quantity } of lines) {
      sums.set(productId, (sums.get(productId) ?? 0) + quantity);
    }
  };
  for (const reservation of repository.reservations.values()) {
    if (reservation.status === 'HELD') add(held, reservation.lines);
    if (reservation.status === 'CONFIRMED') add(sold, reservation.lines);
  }
  return [...repository.products.values()].flatMap((stock) => {
    const id = stock.productId;
    const broken: string[] = [];
    if (stock.available < 0) broken.push(`${id}: available ${stock.available}`);
    if (stock.available + stock.reserved + stock.sold !== stock.received) {
      broken.push(`${id}: ${JSON.stringify(stock)} does not add up`);
    }
    if (stock.reserved !== (held.get(id) ?? 0)) broken.push(`${id}: reserved is not what is held`);
    if (stock.sold !== (sold.get(id) ?? 0)) broken.push(`${id}: sold is not what is confirmed`);
    return broken;
  });
}
