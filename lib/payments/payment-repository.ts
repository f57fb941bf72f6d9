import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { documentClient } from '../platform/dynamo/database-client.ts';
import {
  checkedFields,
  conditionalWrite,
  dueAttributes,
  lazily,
  type Parsed,
  readItem,
  type StoredItem,
  stillAsRead,
  uncheckedFields,
} from '../platform/dynamo/items.ts';
import { ConcurrentUpdate } from '../platform/errors.ts';
import { observe } from '../platform/lambda/observe.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { moneySchema } from '../platform/schemas.ts';
import { PAYMENT_STATUSES, type Payment } from './payment.ts';

const SCHEMA_VERSION = 1;
const INDEX_ATTRIBUTES = ['dueShard'];

/**
 * Longer than any gateway repeats an event; after that the status of the payment absorbs a repetition.
 */
const EVENT_KEPT_MS = 30 * 24 * 60 * 60 * 1000;

/** Payments, in the Order Service's table. */
export class PaymentRepository {
  readonly #table: string;
  readonly #documents: DynamoDBDocumentClient;
  readonly #clock: Runtime['clock'];

  constructor(runtime: Runtime) {
    this.#clock = runtime.clock;
    this.#table = runtime.config.ORDERS_TABLE;
    this.#documents = documentClient(runtime.aws);
  }

  /** Read consistently. */
  async getPayment(paymentId: string): Promise<Payment | undefined> {
    const item = await readItem(this.#documents, this.#table, { pk: `PAYMENT#${paymentId}` });
    return item === undefined ? undefined : toPayment(item);
  }

  /**
   * Writes `next` if the payment is still as it was read.
   * @throws ConcurrentUpdate if it has changed: read again and decide anew.
   */
  async save(next: Payment, previous: Payment): Promise<void> {
    const put = new PutCommand(this.putOf(next, previous));
    const refusal = await conditionalWrite(this.#documents.send(put));
    if (refusal !== undefined) {
      throw new ConcurrentUpdate('The payment was changed meanwhile; try again.');
    }
    observePaymentMove(next, previous);
  }

  /**
   * Records an event that changes nothing. A repeated event stays as it is.
   * @throws ConcurrentUpdate if it is being written at this moment.
   */
  async recordEvent(eventId: string): Promise<void> {
    const put = new PutCommand(this.eventPutOf(eventId));
    const refusal = await conditionalWrite(this.#documents.send(put));
    if (refusal?.kind === 'CONFLICT') throw new ConcurrentUpdate('The event is being written.');
  }

  /** Put that only the first delivery of an event passes, for the transaction of its effect. */
  eventPutOf(eventId: string) {
    return {
      TableName: this.#table,
      Item: {
        pk: `EVENT#${eventId}`,
        type: 'EVENT',
        ttl: Math.ceil((this.#clock.now() + EVENT_KEPT_MS) / 1000),
      },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
  }

  /** Conditional put, for a transaction with the payment's order. */
  putOf(next: Payment, previous: Payment | undefined) {
    return {
      TableName: this.#table,
      Item: {
        pk: `PAYMENT#${next.paymentId}`,
        type: 'PAYMENT',
        schemaVersion: SCHEMA_VERSION,
        ...next,
        ...dueAttributes(next.paymentId, 'dueAtMs' in next ? next.dueAtMs : undefined),
      },
      ...stillAsRead(previous),
    };
  }
}

/** Reports a written payment: its change of status, and a refund that it owes from now on. */
export function observePaymentMove(next: Payment, previous: Payment | undefined): void {
  const { paymentId, orderId, correlationId, attempt } = next;
  const about = { orderId, paymentId, correlationId };
  if (next.status !== previous?.status) {
    const reason = next.history.at(-1)?.reason;
    const from = previous?.status ?? 'NEW';
    observe('PaymentStatusChanged', about, { from, to: next.status }, { reason, attempt });
  }
  const owed = next.status === 'CAPTURED' ? next.refundOwed : undefined;
  const wasOwed = previous?.status === 'CAPTURED' && previous.refundOwed !== undefined;
  if (owed !== undefined && !wasOwed) observe('RefundOwed', about, { reason: owed.reason });
}

const schemas = lazily(() => {
  const status = z.enum(PAYMENT_STATUSES);
  const base = {
    paymentId: z.string(),
    orderId: z.string(),
    userId: z.string(),
    correlationId: z.string(),
    attempt: z.int(),
    revision: z.int(),
    amount: moneySchema,
    createdAtMs: z.number(),
    version: z.int(),
    history: z.array(
      z.object({ from: z.nullable(status), to: status, reason: z.string(), at: z.string() }),
    ),
  };
  const absent = z.exactOptional(z.never());
  const captured = { ...base, status: z.literal('CAPTURED') };
  const failed = { ...base, status: z.literal('FAILED'), code: z.string() };
  const due = { dueAtMs: z.number() };
  return {
    INITIATED: z.object({ ...base, status: z.literal('INITIATED'), methodToken: z.string() }),
    PENDING: z.object({
      ...base,
      status: z.literal('PENDING'),
      methodToken: z.string(),
      acknowledgeByMs: z.number(),
      waitToken: z.string(),
    }),
    CAPTURED: z.union([
      z.object({ ...captured, refundOwed: absent, dueAtMs: absent }),
      z.object({ ...captured, refundOwed: z.object({ reason: z.string() }), ...due }),
    ]),
    DECLINED: z.object({ ...base, status: z.literal('DECLINED'), code: z.string() }),
    VOIDED: z.object({ ...base, status: z.literal('VOIDED'), code: z.string() }),
    REFUNDED: z.object({ ...base, status: z.literal('REFUNDED'), code: z.string() }),
    FAILED: z.union([
      z.object({ ...failed, voidOwed: absent, dueAtMs: absent }),
      z.object({ ...failed, voidOwed: z.literal(true), ...due }),
    ]),
  };
});

type Schemas = ReturnType<typeof schemas>;

/**
 * The payment in an item of the table.
 * @throws MalformedItem, UnknownSchemaVersion
 */
export function toPayment(item: StoredItem): Payment {
  const byStatus: Readonly<Record<string, Schemas[keyof Schemas]>> = schemas();
  const schema = byStatus[String(item['status'])];
  // Compiles only if the schema's output and the type are the same.
  const payment: Parsed<Payment, Schemas[keyof Schemas]> = checkedFields(
    item,
    SCHEMA_VERSION,
    schema,
    INDEX_ATTRIBUTES,
  );
  return payment;
}

/** The payment in an item as it is, however malformed: for the doctor, which judges it. */
export function uncheckedPayment(item: StoredItem): Payment {
  return uncheckedFields(item, INDEX_ATTRIBUTES) as unknown as Payment;
}
