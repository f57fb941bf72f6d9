import {
  type DynamoDBDocumentClient,
  PutCommand,
  type PutCommandInput,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import type { Payment } from '../payments/payment.ts';
import { observePaymentMove, type PaymentRepository } from '../payments/payment-repository.ts';
import { documentClient } from '../platform/dynamo/database-client.ts';
import {
  checkedFields,
  conditionalWrite,
  duePages,
  lazily,
  readableOf,
  readItem,
  readItems,
  type StoredItem,
  throwUnavailable,
  type WriteRefusal,
} from '../platform/dynamo/items.ts';
import { ConcurrentUpdate } from '../platform/errors.ts';
import { deriveId } from '../platform/ids.ts';
import { observe } from '../platform/lambda/observe.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import type { Order, OrderLine } from './order.ts';
import { itemsFingerprint } from './order-items.ts';
import { orderKey, putOf, toOrder } from './stored-order.ts';

const GUARD_SCHEMA_VERSION = 1;
const guardSchema = lazily(() => z.object({ orderId: z.string() }));

/** Names the latest order that a user placed with these items. */
export interface DuplicateGuard {
  readonly guardKey: string;
  readonly orderId: string;
}

/** Guard to take in the transaction of its order, if it is absent or still names `replacing`. */
export interface GuardWrite {
  readonly guardKey: string;
  readonly replacing: string | undefined;
}

/** Key of the guard of a user's orders of these items. */
export function guardKeyFor(userId: string, items: readonly OrderLine[]): string {
  return deriveId('guard', userId, itemsFingerprint(items));
}

/** Time after its window for which a guard stays at least. */
const GUARD_GRACE_MS = 24 * 60 * 60 * 1000;

export type PlaceOutcome =
  | 'PLACED'
  /** The order is stored already: the request is repeated. */
  | 'EXISTS'
  /** The guard differs from what was expected. */
  | 'GUARDED'
  /** Another transaction at the same items stood in the way. */
  | 'BUSY';

/** The outbox index's entry of an order or a payment that was due. */
export interface DueCandidate {
  readonly kind: 'ORDER' | 'PAYMENT';
  /** Of the order or the payment. */
  readonly id: string;
  readonly orderId: string;
  readonly correlationId: string;
  readonly dueAtMs: number;
}

/** Orders, their duplicate guards and the outbox index, in the Order Service's table. */
export class OrderRepository {
  readonly #table: string;
  readonly #guardLifetimeMs: number;
  readonly #documents: DynamoDBDocumentClient;
  readonly #payments: PaymentRepository;

  constructor(runtime: Runtime, payments: PaymentRepository) {
    this.#table = runtime.config.ORDERS_TABLE;
    this.#guardLifetimeMs = runtime.config.DUPLICATE_WINDOW_SECONDS * 1000 + GUARD_GRACE_MS;
    this.#documents = documentClient(runtime.aws);
    this.#payments = payments;
  }

  /** Read consistently. */
  async getOrder(orderId: string): Promise<Order | undefined> {
    const item = await readItem(this.#documents, this.#table, orderKey(orderId));
    return item === undefined ? undefined : toOrder(item);
  }

  /** Reads up to a hundred orders consistently, in the order of the given ids, without unreadable ones. */
  async getOrders(orderIds: readonly string[]): Promise<Order[]> {
    const items = await readItems(this.#documents, this.#table, orderIds.map(orderKey));
    return readableOf(
      orderIds.map((orderId) => items.get(orderKey(orderId).pk)),
      toOrder,
    );
  }

  /**
   * Positions of up to `count` of a user's orders in time, newest first, all before `before`. The index
   * lags behind the table by a moment.
   */
  async positionsOf(userId: string, before: string | undefined, count: number): Promise<string[]> {
    const query = new QueryCommand({
      TableName: this.#table,
      IndexName: 'owner',
      KeyConditionExpression: 'ownerId = :user AND createdAtSort < :before',
      // Sorts after every order's position.
      ExpressionAttributeValues: { ':user': userId, ':before': before ?? '~' },
      ScanIndexForward: false,
      Limit: count,
    });
    const output = await this.#documents.send(query).catch(throwUnavailable);
    return (output.Items ?? []).map((item) => String(item['createdAtSort']));
  }

  async getGuard(guardKey: string): Promise<DuplicateGuard | undefined> {
    const item = await readItem(this.#documents, this.#table, { pk: `GUARD#${guardKey}` });
    if (item === undefined) return undefined;
    const { orderId } = checkedFields(item, GUARD_SCHEMA_VERSION, guardSchema());
    return { guardKey, orderId };
  }

  /** Writes a new order, if its id is new, together with its duplicate guard. */
  async place(order: Order, guard?: GuardWrite): Promise<PlaceOutcome> {
    const put = putOf(this.#table, order, undefined);
    const refusal = await this.#write(put, guard && this.#guardPut(order, guard));
    if (refusal === undefined) {
      observeMove(order, undefined);
      return 'PLACED';
    }
    if (refusal.kind === 'CONFLICT') return 'BUSY';
    return refusal.failed.includes(0) ? 'EXISTS' : 'GUARDED';
  }

  /**
   * Writes `next`, and a guard if given, if the order is still as it was read.
   * @throws ConcurrentUpdate if the order or the guard has changed: read again and decide anew.
   */
  async save(next: Order, previous: Order, guard?: GuardWrite): Promise<void> {
    const put = putOf(this.#table, next, previous);
    const refusal = await this.#write(put, guard && this.#guardPut(next, guard));
    if (refusal !== undefined) {
      throw new ConcurrentUpdate('The order was changed meanwhile; look at it and try again.');
    }
    observeMove(next, previous);
  }

  /**
   * Writes order and payment together, if both are still as they were read (`previous` undefined: if the
   * payment is new).
   * @throws ConcurrentUpdate if one of them has changed.
   */
  async saveWithPayment(
    order: { readonly next: Order; readonly previous: Order },
    payment: { readonly next: Payment; readonly previous: Payment | undefined },
  ): Promise<void> {
    const orderPut = putOf(this.#table, order.next, order.previous);
    const paymentPut = this.#payments.putOf(payment.next, payment.previous);
    const refusal = await this.#write(orderPut, paymentPut);
    if (refusal !== undefined) {
      throw new ConcurrentUpdate(
        'The order or its payment was changed meanwhile; look at it and try again.',
      );
    }
    observeMove(order.next, order.previous);
    observePaymentMove(payment.next, payment.previous);
  }

  /**
   * Writes an acknowledged payment, its order if given, and the event's id together, if they are still as
   * they were read.
   * @returns `REPEATED` if the event is stored already; nothing is written then.
   * @throws ConcurrentUpdate if the payment or the order has changed.
   */
  async saveAcknowledged(
    eventId: string,
    payment: { readonly next: Payment; readonly previous: Payment },
    order?: { readonly next: Order; readonly previous: Order },
  ): Promise<'SAVED' | 'REPEATED'> {
    const write = new TransactWriteCommand({
      TransactItems: [
        { Put: this.#payments.eventPutOf(eventId) },
        { Put: this.#payments.putOf(payment.next, payment.previous) },
        ...(order === undefined ? [] : [{ Put: putOf(this.#table, order.next, order.previous) }]),
      ],
    });
    const refusal = await conditionalWrite(this.#documents.send(write));
    if (refusal === undefined) {
      observePaymentMove(payment.next, payment.previous);
      return 'SAVED';
    }
    if (refusal.kind === 'CONDITION' && refusal.failed.includes(0)) return 'REPEATED';
    throw new ConcurrentUpdate('The payment or its order was changed meanwhile; try again.');
  }

  /**
   * Orders and payments of one shard that were due at `nowMs`, page by page. Candidates only: read
   * each again.
   */
  async *dueCandidates(shard: number, nowMs: number): AsyncGenerator<DueCandidate[]> {
    const index = {
      table: this.#table,
      index: 'due',
      shardAttribute: 'dueShard',
      timeAttribute: 'dueAtMs',
    };
    for await (const page of duePages(this.#documents, index, shard, nowMs)) {
      yield page.map(toCandidate);
    }
  }

  /** Writes an order, and its guard or its payment in the same transaction. */
  #write(
    order: PutCommandInput,
    other: PutCommandInput | undefined,
  ): Promise<WriteRefusal | undefined> {
    if (other === undefined) return conditionalWrite(this.#documents.send(new PutCommand(order)));
    const both = new TransactWriteCommand({ TransactItems: [{ Put: order }, { Put: other }] });
    return conditionalWrite(this.#documents.send(both));
  }

  #guardPut({ orderId, createdAtMs }: Order, { guardKey, replacing }: GuardWrite) {
    return {
      TableName: this.#table,
      Item: {
        pk: `GUARD#${guardKey}`,
        type: 'GUARD',
        schemaVersion: GUARD_SCHEMA_VERSION,
        orderId,
        // DynamoDB may delete the guard from then on; never inside its window.
        ttl: Math.ceil((createdAtMs + this.#guardLifetimeMs) / 1000),
      },
      ...(replacing === undefined
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : {
            ConditionExpression: 'orderId = :replacedOrderId',
            ExpressionAttributeValues: { ':replacedOrderId': replacing },
          }),
    };
  }
}

/** Reported by the write itself, so that no change of a status is missed. */
function observeMove(next: Order, previous: Order | undefined): void {
  if (next.status === previous?.status) return;
  const { orderId, correlationId, run, version } = next;
  const reason = next.history.at(-1)?.reason;
  const from = previous?.status ?? 'NEW';
  observe(
    'OrderStatusChanged',
    { orderId, correlationId },
    { from, to: next.status },
    { reason, run, version },
  );
}

/** Takes what the entry says of itself. A malformed order or payment fails when it is dispatched. */
function toCandidate(item: StoredItem): DueCandidate {
  const pk = String(item['pk']);
  const kind = pk.startsWith('PAYMENT#') ? 'PAYMENT' : 'ORDER';
  const id = pk.slice(kind.length + 1);
  const { orderId, correlationId } = item;
  return {
    kind,
    id,
    orderId: typeof orderId === 'string' ? orderId : kind === 'ORDER' ? id : '',
    correlationId: typeof correlationId === 'string' ? correlationId : '',
    dueAtMs: Number(item['dueAtMs']),
  };
}
