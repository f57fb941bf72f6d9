import {
  type DynamoDBDocumentClient,
  PutCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { PRODUCT_ID } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import { documentClient } from '../platform/dynamo/database-client.ts';
import {
  CONFLICT,
  checkedFields,
  conditionalWrite,
  duePages,
  lazily,
  type Parsed,
  type RetryPolicy,
  readItems,
  retryOptimistically,
  type StoredItem,
  shardName,
  stillAsRead,
} from '../platform/dynamo/items.ts';
import { shardOf } from '../platform/ids.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { moneySchema } from '../platform/schemas.ts';
import type { Product } from './product.ts';
import { LockContention } from './refusals.ts';
import type { Reservation } from './reservation.ts';

/** Pauses of at most 1.8 s in all, within the caller's time-out of two seconds. */
const CONFLICT_RETRIES: RetryPolicy = { attempts: 10, pause: { baseMs: 20, capMs: 300 } };

/** Changes of the counters of one product in one transaction; each number is added. */
export interface StockChange {
  readonly productId: string;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
}

export interface ExpiryCandidate {
  readonly orderId: string;
  readonly correlationId: string;
  readonly expiresAtMs: number;
}

export interface ReservationView {
  readonly reservation: Reservation | undefined;
  readonly products: ReadonlyMap<string, Product>;
}

/** Reservations, and the stock that they move. */
export class InventoryRepository {
  readonly #table: string;
  readonly #documents: DynamoDBDocumentClient;

  constructor(runtime: Runtime) {
    this.#table = runtime.config.INVENTORY_TABLE;
    this.#documents = documentClient(runtime.aws);
  }

  /**
   * Reads the order's reservation and the products of these lines consistently. An id that no product can have
   * never becomes a key.
   */
  async view(
    orderId: string,
    lines: readonly { readonly productId: string }[],
  ): Promise<ReservationView> {
    const productIds = new Set<string>();
    for (const { productId } of lines) if (PRODUCT_ID.test(productId)) productIds.add(productId);
    const ofOrder = reservationKey(orderId);
    const keys = [ofOrder, ...Array.from(productIds, productKey)];
    const items = await readItems(this.#documents, this.#table, keys);
    const products = new Map<string, Product>();
    for (const productId of productIds) {
      const item = items.get(productKey(productId).pk);
      if (item !== undefined) products.set(productId, toProduct(item));
    }
    const reservation = items.get(ofOrder.pk);
    return {
      products,
      reservation: reservation === undefined ? undefined : toReservation(reservation),
    };
  }

  async findReservation(orderId: string): Promise<Reservation | undefined> {
    return (await this.view(orderId, [])).reservation;
  }

  /**
   * Writes the reservation if it is still as it was read, and changes the stock of its products in the
   * same transaction: all or nothing.
   * @returns the reservation as written; CONFLICT if another writer was faster.
   */
  async commit<Next extends Reservation>(
    next: Next,
    previous: Reservation | undefined,
    stockChanges: readonly StockChange[],
  ): Promise<Next | typeof CONFLICT> {
    const put = {
      TableName: this.#table,
      Item: toReservationItem(next),
      ...stillAsRead(previous, 'version'),
    };
    const updates: NonNullable<TransactWriteCommandInput['TransactItems']> = [];
    for (const { productId, available, reserved, sold } of stockChanges) {
      const conditions = ['attribute_exists(pk)'];
      // Taken stock must be available (P1) and on sale.
      if (available < 0) conditions.push('available >= :needed', '#status = :active');
      if (reserved < 0) conditions.push('reserved >= :held');
      updates.push({
        Update: {
          TableName: this.#table,
          Key: productKey(productId),
          UpdateExpression:
            'ADD available :available, reserved :reserved, sold :sold, movements :one',
          ConditionExpression: conditions.join(' AND '),
          ExpressionAttributeValues: {
            ':available': available,
            ':reserved': reserved,
            ':sold': sold,
            ':one': 1,
            ...(available < 0 ? { ':needed': -available, ':active': 'ACTIVE' } : {}),
            ...(reserved < 0 ? { ':held': -reserved } : {}),
          },
          ...(available < 0 ? { ExpressionAttributeNames: { '#status': 'status' } } : {}),
        },
      });
    }
    const write =
      updates.length === 0
        ? this.#documents.send(new PutCommand(put))
        : this.#documents.send(
            new TransactWriteCommand({ TransactItems: [{ Put: put }, ...updates] }),
          );
    const refusal = await conditionalWrite(write);
    return refusal === undefined ? next : CONFLICT;
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
    for await (const page of duePages(this.#documents, index, shard, nowMs)) {
      yield page.map((item) => ({
        orderId: String(item['pk']).slice(reservationKey('').pk.length),
        correlationId: String(item['correlationId']),
        expiresAtMs: Number(item['expiresAtMs']),
      }));
    }
  }
}

/**
 * Reads, decides and commits until no other writer interferes. An attempt that lost returns CONFLICT.
 * @throws LockContention if every attempt lost.
 */
export async function untilCommitted<Result>(
  runtime: { readonly clock: Clock; readonly random: () => number },
  attempt: () => Promise<Result | typeof CONFLICT>,
): Promise<Result> {
  const result = await retryOptimistically(runtime, CONFLICT_RETRIES, attempt);
  if (result === CONFLICT) throw new LockContention(LockContention.refusal.advice);
  return result;
}

const PRODUCT_SCHEMA_VERSION = 1;
const RESERVATION_SCHEMA_VERSION = 2;

/** Partition of the index of all products. */
export const CATALOGUE = 'PRODUCT';

/** Partitions of the sparse index of expiring reservations. */
export const EXPIRY_SHARDS = 16;

/** Attributes of a product's and of a reservation's item that only an index needs. */
const PRODUCT_INDEXES = ['catalogue'];
const RESERVATION_INDEXES = ['expiryShard'];

export const productKey = (productId: string) => ({ pk: `PRODUCT#${productId}` });
export const reservationKey = (orderId: string) => ({ pk: `RESERVATION#${orderId}` });

export function toReservationItem(reservation: Reservation) {
  return {
    ...reservationKey(reservation.orderId),
    type: 'RESERVATION',
    schemaVersion: RESERVATION_SCHEMA_VERSION,
    ...reservation,
    ...(reservation.status === 'HELD'
      ? { expiryShard: shardName('expiry', shardOf(reservation.orderId, EXPIRY_SHARDS)) }
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
      heldSinceMs: z.number(),
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
  // Compiles only if the schema's output and the type are the same.
  const fields: Parsed<Reservation, typeof schema> = checkedFields(
    item,
    RESERVATION_SCHEMA_VERSION,
    schema,
    RESERVATION_INDEXES,
  );
  return fields;
}

export function toProductItem(product: Product) {
  return {
    ...productKey(product.productId),
    type: 'PRODUCT',
    schemaVersion: PRODUCT_SCHEMA_VERSION,
    catalogue: CATALOGUE,
    ...product,
  };
}

const productSchemas = lazily(() => {
  const base = {
    productId: z.string(),
    name: z.string(),
    description: z.string(),
    unitPrice: moneySchema,
    maxPerOrder: z.exactOptional(z.int()),
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
  // Compiles only if the schema's output and the type are the same.
  const fields: Parsed<Product, typeof schema> = checkedFields(
    item,
    PRODUCT_SCHEMA_VERSION,
    schema,
    PRODUCT_INDEXES,
  );
  return fields;
}
