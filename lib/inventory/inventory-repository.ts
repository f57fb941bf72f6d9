import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import type { Clock } from '../platform/clock.ts';
import { documentClient } from '../platform/dynamo/database-client.ts';
import {
  CONFLICT,
  checkItem,
  conditionalWrite,
  databaseRead,
  duePages,
  lazily,
  type Parsed,
  type RetryPolicy,
  readableOf,
  readItems,
  retryOptimistically,
  type StoredItem,
  stillAsRead,
  type WriteRefusal,
} from '../platform/dynamo/items.ts';
import { shardOf } from '../platform/ids.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { moneySchema } from '../platform/schemas.ts';
import type { Product, ProductChange, StockReceipt } from './product.ts';
import { LockContention } from './refusals.ts';
import type { Reservation } from './reservation.ts';

const PRODUCT_SCHEMA_VERSION = 1;
const RESERVATION_SCHEMA_VERSION = 1;
const RECEIPT_SCHEMA_VERSION = 1;

/** Partitions of the sparse index of expiring reservations. */
export const EXPIRY_SHARDS = 16;
const CATALOGUE = 'PRODUCT';
/** Pauses of at most 1.8 s in all, within the caller's time-out of two seconds. */
const CONFLICT_RETRIES: RetryPolicy = { attempts: 10, pause: { baseMs: 20, capMs: 300 } };

/** Changes of the counters of one product in one transaction; each number is added. */
export interface StockChange {
  readonly productId: string;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
}

/** `CHANGED`: the decision rests on a fact that has changed; read again. `BUSY`: contention only. */
export type CommitOutcome = 'COMMITTED' | 'CHANGED' | 'BUSY';

export interface ExpiryCandidate {
  readonly orderId: string;
  readonly correlationId: string;
  readonly expiresAtMs: number;
}

export interface ReservationView {
  readonly reservation: Reservation | undefined;
  readonly products: ReadonlyMap<string, Product>;
}

export const productKey = (productId: string) => ({ pk: `PRODUCT#${productId}` });
const receiptKey = (receiptId: string) => ({ pk: `RECEIPT#${receiptId}` });
export const reservationKey = (orderId: string) => ({ pk: `RESERVATION#${orderId}` });

export class InventoryRepository {
  readonly #table: string;
  readonly #documents: DynamoDBDocumentClient;

  constructor(runtime: Runtime) {
    this.#table = runtime.config.INVENTORY_TABLE;
    this.#documents = documentClient(runtime.aws);
  }

  /** Reads the order's reservation and the named products consistently. */
  async view(orderId: string, productIds: readonly string[]): Promise<ReservationView> {
    const items = await readItems(this.#documents, this.#table, [
      reservationKey(orderId),
      ...[...new Set(productIds)].map(productKey),
    ]);
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
    const item = await this.#get(productKey(productId));
    return item === undefined ? undefined : toProduct(item);
  }

  /**
   * Ids of up to `count` products after `after`, ascending. The index lags behind the table by a moment.
   */
  async productIds(after: string | undefined, count: number): Promise<string[]> {
    const output = await databaseRead(() =>
      this.#documents.send(
        new QueryCommand({
          TableName: this.#table,
          IndexName: 'catalogue',
          KeyConditionExpression: 'catalogue = :catalogue AND productId > :after',
          // Sorts before every product id.
          ExpressionAttributeValues: { ':catalogue': CATALOGUE, ':after': after ?? ' ' },
          Limit: count,
        }),
      ),
    );
    return (output.Items ?? []).map((item) => String(item['productId']));
  }

  /** Reads up to a hundred products consistently, in the order of the given ids, without unreadable ones. */
  async findProducts(productIds: readonly string[]): Promise<Product[]> {
    const items = await readItems(this.#documents, this.#table, productIds.map(productKey));
    return readableOf(
      productIds.map((productId) => items.get(productKey(productId).pk)),
      toProduct,
    );
  }

  /** Writes a new product; `CHANGED` if the id is taken. */
  async addProduct(product: Product): Promise<CommitOutcome> {
    const refusal = await conditionalWrite(() =>
      this.#documents.send(
        new PutCommand({
          TableName: this.#table,
          Item: {
            ...productKey(product.productId),
            type: 'PRODUCT',
            schemaVersion: PRODUCT_SCHEMA_VERSION,
            catalogue: CATALOGUE,
            ...product,
          },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
    return outcomeOf(refusal);
  }

  /**
   * Writes the given fields if no person changed the product since it was read. The counters, which
   * reservations and receipts change, stay as they are.
   * @returns the product after the write, counters included.
   */
  async changeProduct(
    previous: Product,
    change: ProductChange & { readonly changedAs: string },
  ): Promise<Product | Exclude<CommitOutcome, 'COMMITTED'>> {
    const fields = Object.entries({ ...change, version: previous.version + 1 });
    let changed: StoredItem = {};
    const refusal = await conditionalWrite(async () => {
      const output = await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: productKey(previous.productId),
          UpdateExpression: `SET ${fields.map(([name]) => `#${name} = :${name}`).join(', ')}`,
          ConditionExpression: '#status = :statusAsRead AND #version = :versionAsRead',
          ExpressionAttributeNames: {
            '#status': 'status',
            ...Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
          },
          ExpressionAttributeValues: {
            ':statusAsRead': previous.status,
            ':versionAsRead': previous.version,
            ...Object.fromEntries(fields.map(([name, value]) => [`:${name}`, value])),
          },
          ReturnValues: 'ALL_NEW',
        }),
      );
      changed = output.Attributes ?? {};
    });
    if (refusal === undefined) return toProduct(changed);
    return refusal.kind === 'CONDITION' ? 'CHANGED' : 'BUSY';
  }

  /**
   * Writes a new receipt and adds its units to the stock of its product, both or neither.
   * @returns `CHANGED` if the receipt exists already, or the product does not.
   */
  async addReceipt(receipt: StockReceipt): Promise<CommitOutcome> {
    const put = {
      TableName: this.#table,
      Item: {
        ...receiptKey(receipt.receiptId),
        type: 'RECEIPT',
        schemaVersion: RECEIPT_SCHEMA_VERSION,
        ...receipt,
      },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    const update = {
      TableName: this.#table,
      Key: productKey(receipt.productId),
      UpdateExpression: 'ADD available :quantity, received :quantity',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':quantity': receipt.quantity },
    };
    const refusal = await conditionalWrite(() =>
      this.#documents.send(
        new TransactWriteCommand({ TransactItems: [{ Put: put }, { Update: update }] }),
      ),
    );
    return outcomeOf(refusal);
  }

  async findReceipt(receiptId: string): Promise<StockReceipt | undefined> {
    const item = await this.#get(receiptKey(receiptId));
    return item === undefined ? undefined : toReceipt(item);
  }

  /**
   * Writes the reservation if it is still as it was read, and changes the stock of its products in the
   * same transaction: all or nothing.
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
    return outcomeOf(refusal);
  }

  /**
   * Held reservations of one shard that had expired at `nowMs`, page by page. Candidates only: read each
   * again.
   */
  async *expiredReservations(shard: number, nowMs: number): AsyncGenerator<ExpiryCandidate[]> {
    const index = {
      table: this.#table,
      index: 'expiry',
      shardAttribute: 'expiryShard',
      timeAttribute: 'expiresAtMs',
    };
    for await (const page of duePages(this.#documents, index, expiryShardName(shard), nowMs)) {
      yield page.map((item) => ({
        orderId: String(item['pk']).slice('RESERVATION#'.length),
        correlationId: String(item['correlationId']),
        expiresAtMs: Number(item['expiresAtMs']),
      }));
    }
  }

  async #get(key: { readonly pk: string }): Promise<Record<string, unknown> | undefined> {
    const output = await databaseRead(() =>
      this.#documents.send(
        new GetCommand({ TableName: this.#table, Key: key, ConsistentRead: true }),
      ),
    );
    return output.Item;
  }

  #stockUpdate(change: StockChange) {
    const conditions = ['attribute_exists(pk)'];
    const values: Record<string, unknown> = {
      ':available': change.available,
      ':reserved': change.reserved,
      ':sold': change.sold,
      ':one': 1,
    };
    const names: Record<string, string> = {};
    if (change.available < 0) {
      // Taken stock must be available (P1) and on sale.
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
      UpdateExpression: 'ADD available :available, reserved :reserved, sold :sold, movements :one',
      ConditionExpression: conditions.join(' AND '),
      ExpressionAttributeValues: values,
      ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    };
  }
}

/**
 * Reads, decides and commits until no other writer interferes.
 * @throws LockContention if every attempt lost.
 */
export async function untilCommitted<Result>(
  runtime: { readonly clock: Clock; readonly random: () => number },
  attempt: () => Promise<{ readonly outcome: CommitOutcome; readonly result: Result }>,
): Promise<Result> {
  const result = await retryOptimistically(runtime, CONFLICT_RETRIES, async () => {
    const { outcome, result } = await attempt();
    return outcome === 'COMMITTED' ? result : CONFLICT;
  });
  if (result === CONFLICT) throw new LockContention(LockContention.refusal.advice);
  return result;
}

function outcomeOf(refusal: WriteRefusal | undefined): CommitOutcome {
  if (refusal === undefined) return 'COMMITTED';
  return refusal.kind === 'CONDITION' ? 'CHANGED' : 'BUSY';
}

function expiryShardName(shard: number): string {
  return `expiry#${String(shard)}`;
}

function toItem(reservation: Reservation) {
  return {
    ...reservationKey(reservation.orderId),
    type: 'RESERVATION',
    schemaVersion: RESERVATION_SCHEMA_VERSION,
    ...reservation,
    ...(reservation.status === 'HELD'
      ? { expiryShard: expiryShardName(shardOf(reservation.orderId, EXPIRY_SHARDS)) }
      : {}),
  };
}

const reservationSchemas = lazily(() => {
  const base = { orderId: z.string(), revision: z.int(), version: z.int() };
  const lines = z.array(
    z.object({ productId: z.string(), quantity: z.int(), unitPrice: moneySchema }),
  );
  return z.discriminatedUnion('status', [
    z.object({
      ...base,
      status: z.literal('HELD'),
      lines,
      expiresAtMs: z.number(),
      correlationId: z.string(),
    }),
    z.object({ ...base, status: z.literal('CONFIRMED'), lines, paymentId: z.string() }),
    z.object({
      ...base,
      status: z.literal('RELEASED'),
      because: z.enum(['RELEASED', 'EXPIRED']),
    }),
  ]);
});

/** @throws MalformedItem, UnknownSchemaVersion */
export function toReservation(item: StoredItem): Reservation {
  const schema = reservationSchemas();
  checkItem(item, RESERVATION_SCHEMA_VERSION, schema);
  const {
    pk: _pk,
    type: _type,
    schemaVersion: _schemaVersion,
    expiryShard: _expiryShard,
    ...reservation
  } = item;
  // Compiles only if the schema's output and the type are the same.
  return reservation as unknown as Parsed<Reservation, typeof schema>;
}

const productSchemas = lazily(() => {
  const base = {
    productId: z.string(),
    name: z.string(),
    description: z.string(),
    unitPrice: moneySchema,
    available: z.int(),
    reserved: z.int(),
    sold: z.int(),
    received: z.int(),
    version: z.int(),
    movements: z.exactOptional(z.int()),
    createdAs: z.string(),
    changedAs: z.exactOptional(z.string()),
  };
  return z.discriminatedUnion('status', [
    z.object({ ...base, status: z.literal('ACTIVE') }),
    z.object({ ...base, status: z.literal('WITHDRAWN') }),
  ]);
});

/** @throws MalformedItem, UnknownSchemaVersion */
export function toProduct(item: StoredItem): Product {
  const schema = productSchemas();
  checkItem(item, PRODUCT_SCHEMA_VERSION, schema);
  const {
    pk: _pk,
    type: _type,
    schemaVersion: _schemaVersion,
    catalogue: _catalogue,
    ...product
  } = item;
  // Compiles only if the schema's output and the type are the same.
  return product as unknown as Parsed<Product, typeof schema>;
}

const receiptSchema = lazily(() =>
  z.object({
    receiptId: z.string(),
    productId: z.string(),
    quantity: z.int(),
    at: z.string(),
  }),
);

/** @throws MalformedItem, UnknownSchemaVersion */
function toReceipt(item: StoredItem): StockReceipt {
  const schema = receiptSchema();
  checkItem(item, RECEIPT_SCHEMA_VERSION, schema);
  const { pk: _pk, type: _type, schemaVersion: _schemaVersion, ...receipt } = item;
  return receipt as unknown as Parsed<StockReceipt, typeof schema>;
}
