import {
  BatchGetCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import { type Clock, sleep } from '../platform/clock.ts';
import { conditionalWrite, databaseRead } from '../platform/dynamo.ts';
import { shardOf } from '../platform/ids.ts';
import type { Runtime } from '../platform/runtime.ts';
import { LockContention } from './errors.ts';
import type { Product } from './product.ts';
import type { Reservation } from './reservation.ts';

const SHARDS = 16;
const CATALOGUE = 'PRODUCT';
/** About a second and a half of full-jitter waits, inside the caller's time-out of two seconds. */
const CONFLICT_ATTEMPTS = 10;
const CONFLICT_BASE_MS = 20;
const CONFLICT_CAP_MS = 300;

/** What one transaction does to one product; the numbers are added to its counters. */
export interface StockChange {
  readonly productId: string;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
}

/** `CHANGED`: something the decision was made on is no longer so; read again. `BUSY`: only contention. */
export type CommitOutcome = 'COMMITTED' | 'CHANGED' | 'BUSY';

export interface ReservationView {
  readonly reservation: Reservation | undefined;
  readonly products: ReadonlyMap<string, Product>;
}

const productKey = (productId: string) => ({ pk: `PRODUCT#${productId}` });
const reservationKey = (orderId: string) => ({ pk: `RESERVATION#${orderId}` });

/** The Inventory Service's table; nothing else reads or writes it. */
export class InventoryRepository {
  readonly #table: string;
  readonly #documents: Runtime['aws']['documents'];

  constructor(runtime: Runtime) {
    this.#table = runtime.config.INVENTORY_TABLE;
    this.#documents = runtime.aws.documents;
  }

  /** The order's reservation and the named products, read consistently. */
  async view(orderId: string, productIds: readonly string[]): Promise<ReservationView> {
    const items = new Map<string, Readonly<Record<string, unknown>>>();
    let keys: Record<string, unknown>[] = [
      reservationKey(orderId),
      ...[...new Set(productIds)].map(productKey),
    ];
    while (keys.length > 0) {
      const request = { RequestItems: { [this.#table]: { Keys: keys, ConsistentRead: true } } };
      const output = await databaseRead(() => this.#documents.send(new BatchGetCommand(request)));
      for (const item of output.Responses?.[this.#table] ?? []) items.set(String(item['pk']), item);
      keys = output.UnprocessedKeys?.[this.#table]?.Keys ?? [];
    }
    const products = new Map<string, Product>();
    for (const productId of productIds) {
      const item = items.get(productKey(productId).pk);
      if (item !== undefined) products.set(productId, toProduct(item));
    }
    const reservation = items.get(reservationKey(orderId).pk);
    return {
      products,
      reservation: reservation === undefined ? undefined : toReservation(reservation),
    };
  }

  async findReservation(orderId: string): Promise<Reservation | undefined> {
    return (await this.view(orderId, [])).reservation;
  }

  async findProduct(productId: string): Promise<Product | undefined> {
    const output = await databaseRead(() =>
      this.#documents.send(
        new GetCommand({
          TableName: this.#table,
          Key: productKey(productId),
          ConsistentRead: true,
        }),
      ),
    );
    return output.Item === undefined ? undefined : toProduct(output.Item);
  }

  /** All products by id, read page by page. */
  async listProducts(): Promise<Product[]> {
    const products: Product[] = [];
    let startKey: Record<string, unknown> | undefined;
    do {
      const page = await databaseRead(() =>
        this.#documents.send(
          new QueryCommand({
            TableName: this.#table,
            IndexName: 'catalogue',
            KeyConditionExpression: 'catalogue = :catalogue',
            ExpressionAttributeValues: { ':catalogue': CATALOGUE },
            ExclusiveStartKey: startKey,
          }),
        ),
      );
      const found = await Promise.all(
        (page.Items ?? []).map((item) => this.findProduct(String(item['productId']))),
      );
      products.push(...found.filter((product) => product !== undefined));
      startKey = page.LastEvaluatedKey;
    } while (startKey !== undefined);
    return products;
  }

  /** Writes a new product; false where the id is taken. */
  async addProduct(product: Product): Promise<boolean> {
    const refusal = await conditionalWrite(() =>
      this.#documents.send(
        new PutCommand({
          TableName: this.#table,
          Item: {
            ...productKey(product.productId),
            type: 'PRODUCT',
            catalogue: CATALOGUE,
            ...product,
          },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
    return refusal === undefined;
  }

  /**
   * Writes the reservation on condition that it still is what the decision was made on, and changes
   * the stock of its products in the same transaction: all or nothing.
   */
  async commit(
    next: Reservation,
    previous: Reservation | undefined,
    stockChanges: readonly StockChange[],
  ): Promise<CommitOutcome> {
    const put = { TableName: this.#table, Item: toItem(next), ...stillAsRead(previous) };
    const updates = stockChanges.map((change) => ({ Update: this.#stockUpdate(change) }));
    const refusal = await conditionalWrite(() =>
      updates.length === 0
        ? this.#documents.send(new PutCommand(put))
        : this.#documents.send(
            new TransactWriteCommand({ TransactItems: [{ Put: put }, ...updates] }),
          ),
    );
    if (refusal === undefined) return 'COMMITTED';
    return refusal.kind === 'CONDITION' ? 'CHANGED' : 'BUSY';
  }

  /**
   * Ids of held reservations whose time was up at `nowMs`, one page at a time. Shards take turns at being
   * first, so that none starves where a round is cut short.
   */
  async *expiredReservations(nowMs: number, firstShard: number): AsyncGenerator<string> {
    for (let step = 0; step < SHARDS; step += 1) {
      const shard = (firstShard + step) % SHARDS;
      let startKey: Record<string, unknown> | undefined;
      do {
        const page = await databaseRead(() =>
          this.#documents.send(
            new QueryCommand({
              TableName: this.#table,
              IndexName: 'expiry',
              KeyConditionExpression: 'expiryShard = :shard AND expiresAtMs <= :now',
              ExpressionAttributeValues: { ':shard': `expiry#${String(shard)}`, ':now': nowMs },
              ExclusiveStartKey: startKey,
            }),
          ),
        );
        for (const item of page.Items ?? []) {
          yield String(item['pk']).slice('RESERVATION#'.length);
        }
        startKey = page.LastEvaluatedKey;
      } while (startKey !== undefined);
    }
  }

  #stockUpdate(change: StockChange) {
    const conditions = ['attribute_exists(pk)'];
    const values: Record<string, unknown> = {
      ':available': change.available,
      ':reserved': change.reserved,
      ':sold': change.sold,
    };
    const names: Record<string, string> = {};
    if (change.available < 0) {
      // Taking stock: it must be there (P1) and on sale.
      conditions.push('available >= :needed', '#status = :active');
      values[':needed'] = -change.available;
      values[':active'] = 'ACTIVE';
      names['#status'] = 'status';
    }
    if (change.reserved < 0) {
      conditions.push('reserved >= :held');
      values[':held'] = -change.reserved;
    }
    return {
      TableName: this.#table,
      Key: productKey(change.productId),
      UpdateExpression: 'ADD available :available, reserved :reserved, sold :sold',
      ConditionExpression: conditions.join(' AND '),
      ExpressionAttributeValues: values,
      ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    };
  }
}

/**
 * Decides and commits until nothing changed in between: `attempt` reads, decides, writes.
 * @throws LockContention where only other writers at the same products stood in the way.
 */
export async function untilCommitted<Result>(
  runtime: { readonly clock: Clock; readonly random: () => number },
  attempt: () => Promise<{ readonly outcome: CommitOutcome; readonly result: Result }>,
): Promise<Result> {
  for (let tries = 0; tries < CONFLICT_ATTEMPTS; tries += 1) {
    const { outcome, result } = await attempt();
    if (outcome === 'COMMITTED') return result;
    const ceilingMs = Math.min(CONFLICT_CAP_MS, CONFLICT_BASE_MS * 2 ** tries);
    await sleep(runtime.clock, Math.floor(runtime.random() * ceilingMs));
  }
  throw new LockContention('Many orders want the same product right now; try again.');
}

function stillAsRead(previous: Reservation | undefined) {
  return previous === undefined
    ? { ConditionExpression: 'attribute_not_exists(pk)' }
    : {
        ConditionExpression: '#status = :statusAsRead AND version = :versionAsRead',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: {
          ':statusAsRead': previous.status,
          ':versionAsRead': previous.version,
        },
      };
}

function toItem(reservation: Reservation) {
  return {
    ...reservationKey(reservation.orderId),
    type: 'RESERVATION',
    ...reservation,
    ...(reservation.status === 'HELD'
      ? { expiryShard: `expiry#${String(shardOf(reservation.orderId, SHARDS))}` }
      : {}),
  };
}

function toReservation(item: Readonly<Record<string, unknown>>): Reservation {
  const { pk: _pk, type: _type, expiryShard: _expiryShard, ...reservation } = item;
  return reservation as unknown as Reservation;
}

function toProduct(item: Readonly<Record<string, unknown>>): Product {
  const { pk: _pk, type: _type, catalogue: _catalogue, ...product } = item;
  return product as unknown as Product;
}
