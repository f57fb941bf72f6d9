import * as z from 'zod/mini';
import {
  checkedFields,
  lazily,
  type Parsed,
  type StoredItem,
  shardName,
} from '../platform/dynamo/items.ts';
import { shardOf } from '../platform/ids.ts';
import { moneySchema } from '../platform/schemas.ts';
import type { Product, StockReceipt } from './product.ts';
import type { Reservation } from './reservation.ts';

const PRODUCT_SCHEMA_VERSION = 1;
const RESERVATION_SCHEMA_VERSION = 1;
const RECEIPT_SCHEMA_VERSION = 1;

/** Partition of the index of all products. */
export const CATALOGUE = 'PRODUCT';

/** Partitions of the sparse index of expiring reservations. */
export const EXPIRY_SHARDS = 16;

/** Attributes of a product's and of a reservation's item that only an index needs. */
const PRODUCT_INDEXES = ['catalogue'];
const RESERVATION_INDEXES = ['expiryShard'];

export const productKey = (productId: string) => ({ pk: `PRODUCT#${productId}` });
export const reservationKey = (orderId: string) => ({ pk: `RESERVATION#${orderId}` });
export const receiptKey = (receiptId: string) => ({ pk: `RECEIPT#${receiptId}` });

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

export function toReceiptItem(receipt: StockReceipt) {
  return {
    ...receiptKey(receipt.receiptId),
    type: 'RECEIPT',
    schemaVersion: RECEIPT_SCHEMA_VERSION,
    ...receipt,
  };
}

const receiptSchema = lazily(() =>
  z.object({ receiptId: z.string(), productId: z.string(), quantity: z.int(), at: z.string() }),
);

/** @throws MalformedItem, UnknownSchemaVersion */
export function toReceipt(item: StoredItem): StockReceipt {
  const schema = receiptSchema();
  // Compiles only if the schema's output and the type are the same.
  const fields: Parsed<StockReceipt, typeof schema> = checkedFields(
    item,
    RECEIPT_SCHEMA_VERSION,
    schema,
    [],
  );
  return fields;
}
