import * as z from 'zod/mini';
import { packedPayment, storedPaymentSchema, unpackedPayment } from '../payments/stored-payment.ts';
import {
  checkedFields,
  dueAttributes,
  lazily,
  type Parsed,
  type StoredItem,
  stillAsRead,
  uncheckedFields,
} from '../platform/dynamo/items.ts';
import { packedHistory, unpackedHistory } from '../platform/dynamo/stored-history.ts';
import { moneySchema } from '../platform/schemas.ts';
import type { LEGAL_MOVES, Move } from './moves.ts';
import { ORDER_STATUSES, type Order, ROLES } from './order.ts';
import { dueKeyOf } from './order-due.ts';
import { assertPaidMeansYours } from './order-payments.ts';

/**
 * Raised only if older code would misread the item, never for an optional field: older functions refuse a higher
 * version, and some of them still run during a deployment.
 */
const SCHEMA_VERSION = 3;
const INDEX_ATTRIBUTES = ['ownerId', 'dueShard'];

const schemas = lazily(() => {
  const status = z.enum(ORDER_STATUSES);
  const items = z.array(
    z.object({
      productId: z.string(),
      quantity: z.number(),
      unitPrice: z.exactOptional(moneySchema),
    }),
  );
  const pending = z.object({ status: z.literal('PENDING'), items });
  const applied = z.object({ status: z.literal('APPLIED'), items });
  const rejected = z.object({ status: z.literal('REJECTED'), items, code: z.string() });
  const payment = storedPaymentSchema();
  const paid = z.tuple([payment], payment);
  const base = {
    orderId: z.string(),
    userId: z.string(),
    correlationId: z.string(),
    createdAtMs: z.number(),
    version: z.int(),
    writes: z.int(),
    revision: z.int(),
    run: z.int(),
    items,
    total: z.exactOptional(moneySchema),
    placedAs: z.string(),
    payments: z.array(payment),
    dueKeyMs: z.exactOptional(z.number()),
    modification: z.exactOptional(z.discriminatedUnion('status', [pending, applied, rejected])),
    modifications: z.int(),
    refused: z.exactOptional(
      z.object({
        code: z.string(),
        detail: z.string(),
        productId: z.string(),
        available: z.exactOptional(z.int()),
        maxPerOrder: z.exactOptional(z.int()),
      }),
    ),
    lastRequest: z.exactOptional(z.string()),
    history: z.array(
      z.object({
        from: z.nullable(status),
        to: status,
        reason: z.string(),
        at: z.string(),
        by: z.enum(ROLES),
      }),
    ),
  };
  const owed = { ...base, dueAtMs: z.number() };
  const reserving = {
    ...owed,
    status: z.literal('PENDING_RESERVING_STOCK'),
    outage: z.exactOptional(z.object({ sinceMs: z.number(), notBeforeMs: z.number() })),
  };
  const held = {
    ...owed,
    total: moneySchema,
    heldRevision: z.int(),
    reservationExpiresAtMs: z.number(),
  };
  const releaseOwed = { ...owed, releaseOwed: z.object({ revision: z.int() }) };
  const absent = z.exactOptional(z.never());
  const nothingOwed = { ...base, releaseOwed: absent, dueAtMs: absent };
  const resting = <Status extends string>(is: Status) => {
    const fields = { status: z.literal(is), reason: z.string() };
    return z.union([
      z.object({ ...nothingOwed, ...fields }),
      z.object({ ...releaseOwed, ...fields }),
    ]);
  };
  const paymentFailed = {
    status: z.literal('PAYMENT_FAILED'),
    reason: z.string(),
    total: moneySchema,
    payments: paid,
  };
  return {
    CREATED: z.object({ ...owed, status: z.literal('CREATED') }),
    PENDING_RESERVING_STOCK: z.discriminatedUnion('purpose', [
      z.object({ ...reserving, purpose: z.literal('FIRST') }),
      z.object({
        ...reserving,
        purpose: z.literal('MODIFICATION'),
        total: moneySchema,
        modification: z.discriminatedUnion('status', [pending, rejected]),
        former: z.object({ revision: z.int(), expiresAtMs: z.number() }),
        adopted: z.exactOptional(
          z.object({
            revision: z.int(),
            expiresAtMs: z.number(),
            lines: z.array(z.object({ productId: z.string(), unitPrice: moneySchema })),
          }),
        ),
      }),
      z.object({
        ...reserving,
        purpose: z.literal('PAYMENT_RETRY'),
        total: moneySchema,
        payments: paid,
      }),
    ]),
    PENDING_PAYMENT: z.object({ ...held, status: z.literal('PENDING_PAYMENT') }),
    PAYMENT_IN_PROGRESS: z.object({
      ...held,
      status: z.literal('PAYMENT_IN_PROGRESS'),
      payments: paid,
    }),
    PAYMENT_DONE: z.object({
      ...base,
      status: z.literal('PAYMENT_DONE'),
      total: moneySchema,
      payments: paid,
    }),
    PAYMENT_FAILED: z.union([
      z.object({ ...nothingOwed, ...paymentFailed }),
      z.object({ ...releaseOwed, ...paymentFailed }),
    ]),
    ORDER_FAILED: resting('ORDER_FAILED'),
    INVALID: resting('INVALID'),
    ORDER_CANCELLED: resting('ORDER_CANCELLED'),
  };
});

type Schemas = ReturnType<typeof schemas>;

/**
 * The order in an item of the table.
 * @throws MalformedItem, UnknownSchemaVersion, ImpossibleState
 */
export function toOrder(item: StoredItem): Order {
  const byStatus: Readonly<Record<string, Schemas[keyof Schemas]>> = schemas();
  const schema = byStatus[String(item['status'])];
  // Compiles only if the schema's output and the type are the same.
  const order: Parsed<Order, Schemas[keyof Schemas]> = checkedFields(
    unpacked(item),
    SCHEMA_VERSION,
    schema,
    INDEX_ATTRIBUTES,
  );
  assertPaidMeansYours(order);
  return order;
}

/** The order in an item as it is, however malformed: for the doctor, which judges it. */
export function uncheckedOrder(item: StoredItem): Order {
  return uncheckedFields(unpacked(item), INDEX_ATTRIBUTES) as unknown as Order;
}

/** An item with the fields that it leaves out, because its keys say them; what is malformed stays as it is. */
function unpacked(item: StoredItem): StoredItem {
  const { pk, ownerId, history, payments } = item;
  return {
    ...item,
    orderId: orderIdOf(String(pk)),
    userId: ownerId,
    history: unpackedHistory(history),
    payments: Array.isArray(payments)
      ? payments.map((payment, index) => unpackedPayment(payment, index + 1))
      : payments,
  };
}

/**
 * Put of an order that is still as it was read, or, without `previous`, is not stored yet.
 * @throws ImpossibleState
 */
export function putOf(table: string, order: Order, previous: Order | undefined) {
  assertPaidMeansYours(order);
  const { dueKeyMs: _asRead, orderId, userId, ...fields } = order;
  return {
    TableName: table,
    Item: {
      ...orderKey(orderId),
      type: 'ORDER',
      schemaVersion: SCHEMA_VERSION,
      ...fields,
      history: packedHistory(order.history),
      payments: order.payments.map(packedPayment),
      ownerId: userId,
      ...dueAttributes(orderId, dueKeyOf(order)),
    },
    ...stillAsRead(previous, 'writes'),
  };
}

/** Update that moves an order from `CREATED` to `PENDING_RESERVING_STOCK`, if it has this run. */
export function reservingUpdate(orderId: string, run: number, dueAtMs: number, move: Move) {
  const from = 'CREATED';
  // Compiles only if the move is legal.
  const to: (typeof LEGAL_MOVES)[typeof from][number] = 'PENDING_RESERVING_STOCK';
  return {
    Key: orderKey(orderId),
    // The index key stays: it is not later than the new time.
    UpdateExpression:
      'SET #status = :to, purpose = :first, dueAtMs = :dueAtMs, #history = list_append(#history, :step) ' +
      'ADD version :one, writes :one',
    ConditionExpression: '#status = :from AND #run = :run AND schemaVersion = :schemaVersion',
    ExpressionAttributeNames: { '#status': 'status', '#run': 'run', '#history': 'history' },
    ExpressionAttributeValues: {
      ':from': from,
      ':to': to,
      ':first': 'FIRST',
      ':run': run,
      ':schemaVersion': SCHEMA_VERSION,
      ':dueAtMs': dueAtMs,
      ':step': packedHistory([{ from, to, ...move }]),
      ':one': 1,
    },
  };
}

export function orderKey(orderId: string) {
  return { pk: `ORDER#${orderId}` };
}

/** Key of a user's open orders. */
export function openOrdersKey(userId: string) {
  return { pk: `USER#${userId}` };
}

/** The order's id in the key of its item. */
export function orderIdOf(pk: string): string {
  return pk.slice(pk.indexOf('#') + 1);
}
