import {
  type DynamoDBDocumentClient,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Payment } from '../payments/payment.ts';
import { observePaymentMove, type PaymentRepository } from '../payments/payment-repository.ts';
import { documentClient } from '../platform/dynamo/database-client.ts';
import {
  CONFLICT,
  conditionalWrite,
  duePages,
  readableOf,
  readItem,
  readItems,
  type StoredItem,
  throwUnavailable,
} from '../platform/dynamo/items.ts';
import { ConcurrentUpdate } from '../platform/errors.ts';
import { observe } from '../platform/lambda/observe.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import type { OpenOrderEntry, OpenOrders } from './open-orders.ts';
import type { Order } from './order.ts';
import {
  OPEN_ORDERS_SCHEMA_VERSION,
  OPEN_ORDERS_TYPE,
  openOrdersItem,
  refusedOpenOrders,
  toOpenOrders,
} from './stored-open-orders.ts';
import { openOrdersKey, orderKey, putOf, toOrder } from './stored-order.ts';

export type PlaceOutcome =
  | 'PLACED'
  /** The order is stored already: the request is repeated. */
  | 'EXISTS';

/** The outbox index's entry of an order or a payment that was due. */
export interface DueCandidate {
  readonly kind: 'ORDER' | 'PAYMENT';
  /** Of the order or the payment. */
  readonly id: string;
  readonly orderId: string;
  readonly correlationId: string;
  readonly dueAtMs: number;
}

/** Orders, their users' open orders and the outbox index, in the Order Service's table. */
export class OrderRepository {
  readonly #table: string;
  readonly #documents: DynamoDBDocumentClient;
  readonly #payments: PaymentRepository;

  constructor(runtime: Runtime, payments: PaymentRepository) {
    this.#table = runtime.config.ORDERS_TABLE;
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

  /** Reads up to a hundred orders consistently; undefined for those that are not stored. */
  async getOrdersById(
    orderIds: readonly string[],
  ): Promise<ReadonlyMap<string, Order | undefined>> {
    const items = await readItems(this.#documents, this.#table, orderIds.map(orderKey));
    const orders = new Map<string, Order | undefined>();
    for (const orderId of orderIds) {
      const item = items.get(orderKey(orderId).pk);
      orders.set(orderId, item === undefined ? undefined : toOrder(item));
    }
    return orders;
  }

  /** Read consistently. */
  async getOpenOrders(userId: string): Promise<OpenOrders> {
    return toOpenOrders(await readItem(this.#documents, this.#table, openOrdersKey(userId)));
  }

  /**
   * Enters an order among its user's open orders, if there are fewer than `maxEntries` and none of the same items.
   * @returns undefined if it is entered, else the open orders, or CONFLICT if they could not be seen.
   */
  async enterOpenOrder(
    userId: string,
    { itemsKey, ...entry }: OpenOrderEntry,
    maxEntries: number,
  ): Promise<OpenOrders | typeof CONFLICT | undefined> {
    const update = new UpdateCommand({
      TableName: this.#table,
      Key: openOrdersKey(userId),
      UpdateExpression:
        'SET #entry = :entry, #type = :type, schemaVersion = :schemaVersion ADD entryCount :one, version :one',
      ConditionExpression:
        'attribute_not_exists(#entry) AND (attribute_not_exists(entryCount) OR entryCount < :maxEntries)',
      ExpressionAttributeNames: { '#entry': itemsKey, '#type': 'type' },
      ExpressionAttributeValues: {
        ':entry': entry,
        ':type': OPEN_ORDERS_TYPE,
        ':schemaVersion': OPEN_ORDERS_SCHEMA_VERSION,
        ':one': 1,
        ':maxEntries': maxEntries,
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const refusal = await conditionalWrite(this.#documents.send(update));
    if (refusal === undefined) return undefined;
    return (refusal.kind === 'CONDITION' && refusedOpenOrders(refusal.item)) || CONFLICT;
  }

  /**
   * Writes a user's open orders, if they are still as they were seen.
   * @throws ConcurrentUpdate if they have changed: look again and decide anew.
   */
  async saveOpenOrders(
    userId: string,
    entries: readonly OpenOrderEntry[],
    seen: OpenOrders,
  ): Promise<void> {
    const put = new PutCommand({
      TableName: this.#table,
      Item: openOrdersItem(userId, entries, seen),
      ...(seen.version === 0
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : {
            ConditionExpression: 'version = :seenVersion',
            ExpressionAttributeValues: { ':seenVersion': seen.version },
          }),
    });
    if ((await conditionalWrite(this.#documents.send(put))) === undefined) return;
    throw new ConcurrentUpdate('Your open orders have changed meanwhile; try again.');
  }

  /** Writes a new order, if its id is new. */
  async place(order: Order): Promise<PlaceOutcome> {
    const put = new PutCommand(putOf(this.#table, order, undefined));
    if ((await conditionalWrite(this.#documents.send(put))) !== undefined) return 'EXISTS';
    observeMove(order, undefined);
    return 'PLACED';
  }

  /**
   * Writes `next`, if the order is still as it was read.
   * @throws ConcurrentUpdate if the order has changed: read again and decide anew.
   */
  async save(next: Order, previous: Order): Promise<void> {
    const put = new PutCommand(putOf(this.#table, next, previous));
    if ((await conditionalWrite(this.#documents.send(put))) !== undefined) {
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
    const write = new TransactWriteCommand({
      TransactItems: [
        { Put: putOf(this.#table, order.next, order.previous) },
        { Put: this.#payments.putOf(payment.next, payment.previous) },
      ],
    });
    if ((await conditionalWrite(this.#documents.send(write))) !== undefined) {
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
