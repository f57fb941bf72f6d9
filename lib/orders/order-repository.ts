import {
  type DynamoDBDocumentClient,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Payment } from '../payments/payment.ts';
import { documentClient } from '../platform/dynamo/database-client.ts';
import {
  CONFLICT,
  conditionalWrite,
  duePages,
  readableOf,
  readableOr,
  readItem,
  readItems,
  type StoredItem,
  stillAsRead,
  throwUnavailable,
  type UNREADABLE,
} from '../platform/dynamo/items.ts';
import { ConcurrentUpdate } from '../platform/errors.ts';
import { observe } from '../platform/lambda/observe.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import type { Move } from './moves.ts';
import type { OpenOrderEntry, OpenOrders } from './open-orders.ts';
import type { Order } from './order.ts';
import { earliestDueMs } from './order-due.ts';
import { paymentOf } from './order-payments.ts';
import { waitPlaceUpdate } from './stored-client-waits.ts';
import { methodKey, methodToken, methodUpdate } from './stored-method.ts';
import {
  OPEN_ORDERS_SCHEMA_VERSION,
  OPEN_ORDERS_TYPE,
  openOrdersItem,
  toOpenOrders,
} from './stored-open-orders.ts';
import {
  openOrdersKey,
  orderIdOf,
  orderKey,
  putOf,
  reservingUpdate,
  toOrder,
} from './stored-order.ts';
import type { Wait } from './stored-wait.ts';
import { toWaitToken, waitKey, waitUpdate } from './stored-wait.ts';

export type PlaceOutcome =
  | 'PLACED'
  /** The order is stored already: the request is repeated. */
  | 'EXISTS';

/** Place of an order among its user's. */
export interface OrderPosition {
  readonly createdAtMs: number;
  readonly orderId: string;
}

/** The outbox index's entry of an order. */
export interface DueCandidate {
  readonly orderId: string;
  readonly correlationId: string;
  readonly dueKeyMs: number;
}

/** Orders with their payments, their waits, their users' open orders and the outbox index: the Order Service's table. */
export class OrderRepository {
  readonly #table: string;
  readonly #documents: DynamoDBDocumentClient;

  constructor(runtime: Runtime) {
    this.#table = runtime.config.ORDERS_TABLE;
    this.#documents = documentClient(runtime.aws);
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
  async positionsOf(
    userId: string,
    before: OrderPosition | undefined,
    count: number,
  ): Promise<OrderPosition[]> {
    const query = new QueryCommand({
      TableName: this.#table,
      IndexName: 'owner',
      KeyConditionExpression: 'ownerId = :user',
      ExpressionAttributeValues: { ':user': userId },
      ExclusiveStartKey: before && {
        ...orderKey(before.orderId),
        ownerId: userId,
        createdAtMs: before.createdAtMs,
      },
      ScanIndexForward: false,
      Limit: count,
    });
    const output = await this.#documents.send(query).catch(throwUnavailable);
    return (output.Items ?? []).map((item) => ({
      createdAtMs: Number(item['createdAtMs']),
      orderId: orderIdOf(String(item['pk'])),
    }));
  }

  /** Reads up to a hundred orders consistently; undefined for those that are not stored. */
  async getOrdersById(
    orderIds: readonly string[],
  ): Promise<ReadonlyMap<string, Order | typeof UNREADABLE | undefined>> {
    const items = await readItems(this.#documents, this.#table, orderIds.map(orderKey));
    const orders = new Map<string, Order | typeof UNREADABLE | undefined>();
    for (const orderId of orderIds) {
      const item = items.get(orderKey(orderId).pk);
      orders.set(orderId, item === undefined ? undefined : readableOr(item, toOrder));
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
    const { item } = refusal.kind === 'CONDITION' ? refusal : {};
    return item === undefined ? CONFLICT : toOpenOrders(item);
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
    observeMoves(order, undefined);
    return 'PLACED';
  }

  /**
   * Moves an order from `CREATED` to `PENDING_RESERVING_STOCK`, if it has this run, without a read before it.
   * @returns the order as it then is, moved or not; undefined if none is stored.
   * @throws MalformedItem, UnknownSchemaVersion, InfrastructureUnavailable
   */
  async startReserving(
    orderId: string,
    run: number,
    dueAtMs: number,
    move: Move,
  ): Promise<Order | undefined> {
    const update = new UpdateCommand({
      TableName: this.#table,
      ...reservingUpdate(orderId, run, dueAtMs, move),
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const sent = this.#documents.send(update);
    const refusal = await conditionalWrite(sent);
    if (refusal?.kind === 'CONFLICT') return this.getOrder(orderId);
    if (refusal !== undefined) return refusal.item && toOrder(refusal.item);
    const order = toOrder((await sent).Attributes ?? {});
    observeMove(order, { status: 'CREATED' });
    return order;
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
    observeMoves(next, previous);
  }

  /**
   * Keeps the token of a payment's method, before the write of the order that begins the payment.
   * @param untilMs time at which the database may remove it.
   */
  async keepMethod(methodId: string, token: string, untilMs: number): Promise<void> {
    const update = new UpdateCommand({
      TableName: this.#table,
      ...methodUpdate(methodId, token, untilMs),
    });
    await this.#documents.send(update).catch(throwUnavailable);
  }

  /**
   * Reads it consistently.
   * @returns undefined if the payment has settled, or its time is up.
   */
  async getMethod(methodId: string): Promise<string | undefined> {
    const item = await readItem(this.#documents, this.#table, methodKey(methodId));
    return item === undefined ? undefined : methodToken(item);
  }

  /** Removes the token of a settled payment's method. No function has the right to delete from the table of the orders. */
  async forgetMethod(methodId: string): Promise<void> {
    const update = new UpdateCommand({
      TableName: this.#table,
      Key: methodKey(methodId),
      UpdateExpression: 'REMOVE #token',
      // Otherwise the update would make an item that no time removes.
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#token': 'token' },
    });
    await conditionalWrite(this.#documents.send(update));
  }

  /** Takes a place for a call that waits. @returns false if the stage has no place left at this time. */
  async takeWaitPlace(nowMs: number, most: number): Promise<boolean> {
    const update = new UpdateCommand({ TableName: this.#table, ...waitPlaceUpdate(nowMs, most) });
    return (await conditionalWrite(this.#documents.send(update))) === undefined;
  }

  /**
   * Stores the task token of an attempt that waits.
   * @returns NEWER_THERE if a newer attempt has stored its own: this one is a late duplicate.
   */
  async storeWait(wait: Wait): Promise<'STORED' | 'NEWER_THERE'> {
    const update = new UpdateCommand({ TableName: this.#table, ...waitUpdate(wait) });
    const refusal = await conditionalWrite(this.#documents.send(update));
    return refusal === undefined ? 'STORED' : 'NEWER_THERE';
  }

  /** Token of the last attempt that waits for a decision on the order, or has waited. Read consistently. */
  async getWaitToken(orderId: string): Promise<string | undefined> {
    const item = await readItem(this.#documents, this.#table, waitKey(orderId));
    return item === undefined ? undefined : toWaitToken(item);
  }

  /**
   * Moves an order that was found before its time to its place in the outbox's index, unless it has changed since
   * it was read. Nobody sees a change of the order, and no writer who has read it before is refused.
   */
  async correctDueKey(order: Order): Promise<void> {
    const dueKeyMs = earliestDueMs(order);
    if (dueKeyMs === undefined) return;
    const { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues } =
      stillAsRead(order, 'writes');
    const update = new UpdateCommand({
      TableName: this.#table,
      Key: orderKey(order.orderId),
      UpdateExpression: 'SET dueKeyMs = :dueKeyMs',
      ConditionExpression,
      ExpressionAttributeNames,
      ExpressionAttributeValues: { ...ExpressionAttributeValues, ':dueKeyMs': dueKeyMs },
    });
    await conditionalWrite(this.#documents.send(update));
  }

  /** Orders of one shard that were due at `nowMs`, page by page. Candidates only: read each again. */
  async *dueCandidates(shard: number, nowMs: number): AsyncGenerator<DueCandidate[]> {
    const index = {
      table: this.#table,
      index: 'due',
      shardAttribute: 'dueShard',
      timeAttribute: 'dueKeyMs',
    };
    for await (const page of duePages(this.#documents, index, shard, nowMs)) {
      yield page.map(toCandidate);
    }
  }
}

/** Reported by the write itself, so that no change of a status is missed. */
function observeMoves(next: Order, previous: Order | undefined): void {
  if (next.status !== previous?.status) observeMove(next, previous);
  for (const payment of next.payments) {
    const former = previous && paymentOf(previous, payment.paymentId);
    if (payment !== former) observePaymentMove(next, payment, former);
  }
}

function observeMove(next: Order, previous: Pick<Order, 'status'> | undefined): void {
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

/** Reports a payment's change of status, and a refund that it owes from now on. */
function observePaymentMove(
  { orderId, correlationId }: Order,
  next: Payment,
  previous: Payment | undefined,
): void {
  const { paymentId, attempt } = next;
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

/** Takes what the entry says of itself. A malformed order fails when it is dispatched. */
function toCandidate(item: StoredItem): DueCandidate {
  const { pk, correlationId, dueKeyMs } = item;
  return {
    orderId: orderIdOf(String(pk)),
    correlationId: typeof correlationId === 'string' ? correlationId : '',
    dueKeyMs: Number(dueKeyMs),
  };
}
