import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  type PutCommandInput,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Payment } from '../payments/payment.ts';
import { observePaymentMove, type PaymentRepository } from '../payments/payment-repository.ts';
import { documentClient } from '../platform/dynamo/database-client.ts';
import { dueAttributes, dueShardName } from '../platform/dynamo/due-index.ts';
import {
  conditionalWrite,
  databaseRead,
  duePages,
  readItems,
  stillAsRead,
  type WriteRefusal,
} from '../platform/dynamo/items.ts';
import { ConcurrentUpdate } from '../platform/errors.ts';
import { observe } from '../platform/lambda/observe.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import type { Order } from './order.ts';

const orderKey = (orderId: string) => ({ pk: `ORDER#${orderId}` });
const guardKeyOf = (guardKey: string) => ({ pk: `GUARD#${guardKey}` });

/** Names the order that a user placed last with certain items. */
export interface DuplicateGuard {
  readonly guardKey: string;
  readonly orderId: string;
}

/** A guard to be taken in the order's transaction, if it is absent or still names `replacing`. */
export interface GuardWrite {
  readonly guardKey: string;
  readonly replacing: string | undefined;
  /** When DynamoDB may tidy the guard away; never earlier than its window. */
  readonly keepGuardUntilMs: number;
}

export type PlaceOutcome =
  | 'PLACED'
  /** An order with this id was written before: the same request, repeated. */
  | 'EXISTS'
  /** The guard is not as it was expected to be. */
  | 'GUARDED'
  /** Only contention. */
  | 'BUSY';

/** What the outbox index says of an order, or of a payment, that was due. */
export interface DueCandidate {
  readonly kind: 'ORDER' | 'PAYMENT';
  /** The order's or the payment's own. */
  readonly id: string;
  readonly orderId: string;
  readonly correlationId: string;
  readonly dueAtMs: number;
}

/** Orders, their duplicate guards and the outbox index, in the Order Service's table. */
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
    const item = await this.#get(orderKey(orderId));
    return item === undefined ? undefined : toOrder(item);
  }

  /** Up to a hundred orders, read consistently, in the order of their ids given. */
  async getOrders(orderIds: readonly string[]): Promise<Order[]> {
    const items = await readItems(this.#documents, this.#table, orderIds.map(orderKey));
    return orderIds
      .map((orderId) => items.get(orderKey(orderId).pk))
      .filter((item) => item !== undefined)
      .map(toOrder);
  }

  /**
   * Places of up to `count` of a user's orders in time, newest first, all before `before`. The index
   * follows what is written a moment later.
   */
  async positionsOf(userId: string, before: string | undefined, count: number): Promise<string[]> {
    const output = await databaseRead(() =>
      this.#documents.send(
        new QueryCommand({
          TableName: this.#table,
          IndexName: 'owner',
          KeyConditionExpression: 'ownerId = :user AND createdAtSort < :before',
          // No order is newer than this.
          ExpressionAttributeValues: { ':user': userId, ':before': before ?? '~' },
          ScanIndexForward: false,
          Limit: count,
        }),
      ),
    );
    return (output.Items ?? []).map((item) => String(item['createdAtSort']));
  }

  async getGuard(guardKey: string): Promise<DuplicateGuard | undefined> {
    const item = await this.#get(guardKeyOf(guardKey));
    return item === undefined ? undefined : { guardKey, orderId: String(item['orderId']) };
  }

  /** Writes a new order, if its id is new, together with its duplicate guard. */
  async place(order: Order, guard?: GuardWrite): Promise<PlaceOutcome> {
    const put = {
      TableName: this.#table,
      Item: toItem(order),
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    const refusal = await this.#putWithGuard(put, order.orderId, guard);
    if (refusal === undefined) {
      observeMove(order, undefined);
      return 'PLACED';
    }
    if (refusal.kind === 'CONFLICT') return 'BUSY';
    return refusal.failed.includes(0) ? 'EXISTS' : 'GUARDED';
  }

  /**
   * Writes `next` on condition that the order still is as it was read, with a guard if it takes one.
   * @throws ConcurrentUpdate where one of them is not: read again and decide anew.
   */
  async save(next: Order, previous: Order, guard?: GuardWrite): Promise<void> {
    const refusal = await this.#putWithGuard(this.#putOf(next, previous), next.orderId, guard);
    if (refusal !== undefined) {
      throw new ConcurrentUpdate('The order was changed meanwhile; look at it and try again.');
    }
    observeMove(next, previous);
  }

  /**
   * Writes order and payment together, each on condition that it still is as it was read
   * (`previousPayment` undefined: the payment must be new).
   * @throws ConcurrentUpdate where one of them is not.
   */
  async saveWithPayment(
    order: { readonly next: Order; readonly previous: Order },
    payment: { readonly next: Payment; readonly previous: Payment | undefined },
  ): Promise<void> {
    const refusal = await conditionalWrite(() =>
      this.#documents.send(
        new TransactWriteCommand({
          TransactItems: [
            { Put: this.#putOf(order.next, order.previous) },
            { Put: this.#payments.putOf(payment.next, payment.previous) },
          ],
        }),
      ),
    );
    if (refusal !== undefined) {
      throw new ConcurrentUpdate(
        'The order or its payment was changed meanwhile; look at it and try again.',
      );
    }
    observeMove(order.next, order.previous);
    observePaymentMove(payment.next, payment.previous);
  }

  /**
   * Writes what an acknowledgement changed together with its event's id: the payment, and its order
   * where that is to be looked at, each on condition that it still is as it was read.
   * @returns `REPEATED` where the event was here before; nothing is written then.
   * @throws ConcurrentUpdate where the payment or the order is not as it was read.
   */
  async saveAcknowledged(
    eventId: string,
    payment: { readonly next: Payment; readonly previous: Payment },
    order?: { readonly next: Order; readonly previous: Order },
  ): Promise<'SAVED' | 'REPEATED'> {
    const refusal = await conditionalWrite(() =>
      this.#documents.send(
        new TransactWriteCommand({
          TransactItems: [
            { Put: this.#payments.eventPutOf(eventId) },
            { Put: this.#payments.putOf(payment.next, payment.previous) },
            ...(order === undefined ? [] : [{ Put: this.#putOf(order.next, order.previous) }]),
          ],
        }),
      ),
    );
    if (refusal === undefined) {
      observePaymentMove(payment.next, payment.previous);
      return 'SAVED';
    }
    if (refusal.kind === 'CONDITION' && refusal.failed.includes(0)) return 'REPEATED';
    throw new ConcurrentUpdate('The payment or its order was changed meanwhile; try again.');
  }

  /** What was due in one shard at `nowMs`, page by page. Candidates only: read each again. */
  async *dueCandidates(shard: number, nowMs: number): AsyncGenerator<DueCandidate[]> {
    const index = {
      table: this.#table,
      index: 'due',
      shardAttribute: 'dueShard',
      timeAttribute: 'dueAtMs',
    };
    for await (const page of duePages(this.#documents, index, dueShardName(shard), nowMs)) {
      yield page.map(toCandidate);
    }
  }

  async #get(key: { pk: string }): Promise<Record<string, unknown> | undefined> {
    const output = await databaseRead(() =>
      this.#documents.send(
        new GetCommand({ TableName: this.#table, Key: key, ConsistentRead: true }),
      ),
    );
    return output.Item;
  }

  #putWithGuard(
    put: PutCommandInput,
    orderId: string,
    guard: GuardWrite | undefined,
  ): Promise<WriteRefusal | undefined> {
    return conditionalWrite(() =>
      guard === undefined
        ? this.#documents.send(new PutCommand(put))
        : this.#documents.send(
            new TransactWriteCommand({
              TransactItems: [{ Put: put }, { Put: this.#guardPut(orderId, guard) }],
            }),
          ),
    );
  }

  #guardPut(orderId: string, guard: GuardWrite) {
    return {
      TableName: this.#table,
      Item: {
        ...guardKeyOf(guard.guardKey),
        type: 'GUARD',
        orderId,
        ttl: Math.ceil(guard.keepGuardUntilMs / 1000),
      },
      ...(guard.replacing === undefined
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : {
            ConditionExpression: 'orderId = :replacedOrderId',
            ExpressionAttributeValues: { ':replacedOrderId': guard.replacing },
          }),
    };
  }

  #putOf(next: Order, previous: Order) {
    return {
      TableName: this.#table,
      Item: toItem(next),
      ...stillAsRead(previous),
    };
  }
}

/** Told where it is written, so that no change of a status goes unseen. */
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

function toItem(order: Order) {
  return {
    ...orderKey(order.orderId),
    type: 'ORDER',
    ...order,
    ownerId: order.userId,
    createdAtSort: positionOf(order),
    ...dueAttributes(order.orderId, 'dueAtMs' in order ? order.dueAtMs : undefined),
  };
}

/** The order in an item of the table. */
export function toOrder(item: Readonly<Record<string, unknown>>): Order {
  const {
    pk: _pk,
    type: _type,
    ownerId: _ownerId,
    createdAtSort: _createdAtSort,
    dueShard: _dueShard,
    ...order
  } = item;
  return order as unknown as Order;
}

/** Sorts as text as the orders do in time. */
function positionOf({ createdAtMs, orderId }: Order): string {
  return `${String(createdAtMs).padStart(15, '0')}#${orderId}`;
}

export function orderIdAt(position: string): string {
  return position.slice(position.indexOf('#') + 1);
}

function toCandidate(item: Readonly<Record<string, unknown>>): DueCandidate {
  const [kind = '', id = ''] = String(item['pk']).split('#');
  return {
    kind: kind === 'PAYMENT' ? 'PAYMENT' : 'ORDER',
    id,
    orderId: String(item['orderId']),
    correlationId: String(item['correlationId']),
    dueAtMs: Number(item['dueAtMs']),
  };
}
