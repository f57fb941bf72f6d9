import {
  GetCommand,
  PutCommand,
  type PutCommandInput,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Payment } from '../payments/payment.ts';
import type { PaymentRepository } from '../payments/payment-repository.ts';
import { conditionalWrite, databaseRead, type WriteRefusal } from '../platform/dynamo.ts';
import { ConcurrentUpdate } from '../platform/errors.ts';
import { DUE_SHARDS, dueAttributes, dueShardName } from '../platform/outbox.ts';
import type { Runtime } from '../platform/runtime.ts';
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

export interface DueCandidate {
  readonly kind: 'ORDER' | 'PAYMENT';
  readonly id: string;
}

/** Orders, their duplicate guards and the outbox index, in the Order Service's table. */
export class OrderRepository {
  readonly #table: string;
  readonly #documents: Runtime['aws']['documents'];
  readonly #payments: PaymentRepository;

  constructor(runtime: Runtime, payments: PaymentRepository) {
    this.#table = runtime.config.ORDERS_TABLE;
    this.#documents = runtime.aws.documents;
    this.#payments = payments;
  }

  /** Read consistently. */
  async find(orderId: string): Promise<Order | undefined> {
    const item = await this.#get(orderKey(orderId));
    return item === undefined ? undefined : toOrder(item);
  }

  async findGuard(guardKey: string): Promise<DuplicateGuard | undefined> {
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
    if (refusal === undefined) return 'PLACED';
    if (refusal.kind === 'CONFLICT') return 'BUSY';
    return refusal.failed.includes(0) ? 'EXISTS' : 'GUARDED';
  }

  /**
   * Writes `next` on condition that the order still is as it was read, with a guard if it takes one.
   * @throws ConcurrentUpdate where one of them is not: read again and decide anew.
   */
  async save(next: Order, previous: Order, guard?: GuardWrite): Promise<void> {
    const refusal = await this.#putWithGuard(this.#putOf(next, previous), next.orderId, guard);
    if (refusal !== undefined) throw new ConcurrentUpdate('The order was changed meanwhile.');
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
      throw new ConcurrentUpdate('The order or its payment was changed meanwhile.');
    }
  }

  /**
   * What was due at `nowMs`. Candidates only: read each again. Shards take turns at being first, so
   * that none starves where a round is cut short.
   */
  async *dueCandidates(nowMs: number, firstShard: number): AsyncGenerator<DueCandidate> {
    for (let step = 0; step < DUE_SHARDS; step += 1) {
      const shard = (firstShard + step) % DUE_SHARDS;
      let startKey: Record<string, unknown> | undefined;
      do {
        const page = await databaseRead(() =>
          this.#documents.send(
            new QueryCommand({
              TableName: this.#table,
              IndexName: 'due',
              KeyConditionExpression: 'dueShard = :shard AND dueAtMs <= :now',
              ExpressionAttributeValues: { ':shard': dueShardName(shard), ':now': nowMs },
              ExclusiveStartKey: startKey,
            }),
          ),
        );
        for (const item of page.Items ?? []) yield toCandidate(String(item['pk']));
        startKey = page.LastEvaluatedKey;
      } while (startKey !== undefined);
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
      ConditionExpression: '#status = :statusAsRead AND version = :versionAsRead',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ':statusAsRead': previous.status,
        ':versionAsRead': previous.version,
      },
    };
  }
}

function toItem(order: Order) {
  return {
    ...orderKey(order.orderId),
    type: 'ORDER',
    ...order,
    ...dueAttributes(order.orderId, 'dueAtMs' in order ? order.dueAtMs : undefined),
  };
}

function toOrder(item: Readonly<Record<string, unknown>>): Order {
  const { pk: _pk, type: _type, dueShard: _dueShard, ...order } = item;
  return order as unknown as Order;
}

function toCandidate(pk: string): DueCandidate {
  const [kind = '', id = ''] = pk.split('#');
  return { kind: kind === 'PAYMENT' ? 'PAYMENT' : 'ORDER', id };
}
