import {
  type DynamoDBDocumentClient,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../platform/clock.ts';
import { documentClient } from '../platform/dynamo/database-client.ts';
import {
  CONFLICT,
  conditionalWrite,
  duePages,
  type RetryPolicy,
  readableOf,
  readItem,
  readItems,
  retryOptimistically,
  stillAsRead,
  throwUnavailable,
  type WriteRefusal,
} from '../platform/dynamo/items.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import type { Product, ProductChange, StockReceipt } from './product.ts';
import { LockContention } from './refusals.ts';
import type { Reservation } from './reservation.ts';
import {
  CATALOGUE,
  productKey,
  receiptKey,
  reservationKey,
  toProduct,
  toProductItem,
  toReceipt,
  toReceiptItem,
  toReservation,
  toReservationItem,
} from './stored-inventory.ts';

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

export class InventoryRepository {
  readonly #table: string;
  readonly #documents: DynamoDBDocumentClient;

  constructor(runtime: Runtime) {
    this.#table = runtime.config.INVENTORY_TABLE;
    this.#documents = documentClient(runtime.aws);
  }

  /** Reads the order's reservation and the products of these lines consistently. */
  async view(
    orderId: string,
    lines: readonly { readonly productId: string }[],
  ): Promise<ReservationView> {
    const productIds = new Set<string>();
    for (const { productId } of lines) productIds.add(productId);
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

  async findProduct(productId: string): Promise<Product | undefined> {
    const item = await readItem(this.#documents, this.#table, productKey(productId));
    return item === undefined ? undefined : toProduct(item);
  }

  /**
   * Ids of up to `count` products after `after`, ascending. The index lags behind the table by a moment.
   */
  async productIds(after: string | undefined, count: number): Promise<string[]> {
    const query = new QueryCommand({
      TableName: this.#table,
      IndexName: 'catalogue',
      KeyConditionExpression: 'catalogue = :catalogue AND productId > :after',
      // Sorts before every product id.
      ExpressionAttributeValues: { ':catalogue': CATALOGUE, ':after': after ?? ' ' },
      Limit: count,
    });
    const output = await this.#documents.send(query).catch(throwUnavailable);
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

  /**
   * Writes a new product.
   * @returns undefined if it was written, otherwise the reason; `CONDITION` if the id is taken.
   */
  addProduct(product: Product): Promise<WriteRefusal | undefined> {
    const put = new PutCommand({
      TableName: this.#table,
      Item: toProductItem(product),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    return conditionalWrite(this.#documents.send(put));
  }

  /**
   * Writes the given fields if no person changed the product since it was read. The counters, which
   * reservations and receipts change, stay as they are.
   * @returns the product after the write, counters included; CONFLICT if another writer was faster.
   */
  async changeProduct(
    previous: Product,
    change: ProductChange & { readonly changedAs: string },
  ): Promise<Product | typeof CONFLICT> {
    const fields = Object.entries({ ...change, version: previous.version + 1 });
    const update = new UpdateCommand({
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
    });
    const write = this.#documents.send(update);
    const refusal = await conditionalWrite(write);
    return refusal === undefined ? toProduct((await write).Attributes ?? {}) : CONFLICT;
  }

  /**
   * Writes a new receipt and adds its units to the stock of its product, both or neither.
   * @returns undefined if it was written, otherwise the reason; `CONDITION` if the receipt exists already,
   * or the product does not.
   */
  addReceipt(receipt: StockReceipt): Promise<WriteRefusal | undefined> {
    const put = {
      TableName: this.#table,
      Item: toReceiptItem(receipt),
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    const update = {
      TableName: this.#table,
      Key: productKey(receipt.productId),
      UpdateExpression: 'ADD available :quantity, received :quantity',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':quantity': receipt.quantity },
    };
    const write = new TransactWriteCommand({ TransactItems: [{ Put: put }, { Update: update }] });
    return conditionalWrite(this.#documents.send(write));
  }

  async findReceipt(receiptId: string): Promise<StockReceipt | undefined> {
    const item = await readItem(this.#documents, this.#table, receiptKey(receiptId));
    return item === undefined ? undefined : toReceipt(item);
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
    const put = { TableName: this.#table, Item: toReservationItem(next), ...stillAsRead(previous) };
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
