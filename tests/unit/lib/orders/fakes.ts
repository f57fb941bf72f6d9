import type { ReservationDocument } from '../../../../lib/inventory/http/reservation-response.ts';
import type { InventoryClient } from '../../../../lib/inventory/inventory-client.ts';
import type { Money } from '../../../../lib/money.ts';
import type { OpenOrderEntry } from '../../../../lib/orders/open-orders.ts';
import type {
  Order,
  OrderIn,
  OrderStatus,
  PendingReservingStockOrder,
} from '../../../../lib/orders/order.ts';
import type { DueCandidate, OrderRepository } from '../../../../lib/orders/order-repository.ts';
import { deadlinesOf } from '../../../../lib/orders/recovery/deadlines.ts';
import type { SagaQueues } from '../../../../lib/orders/recovery/saga-queues.ts';
import type { SagaClient } from '../../../../lib/orders/saga-client.ts';
import type { WholeOrderService } from '../../../../lib/orders/whole-order-service.ts';
import type { Payment, PaymentIn, PaymentStatus } from '../../../../lib/payments/payment.ts';
import type { PaymentGateway } from '../../../../lib/payments/payment-gateway.ts';
import type { PaymentRepository } from '../../../../lib/payments/payment-repository.ts';
import { readConfig } from '../../../../lib/platform/config.ts';
import { DUE_SHARDS } from '../../../../lib/platform/dynamo/items.ts';
import { ConcurrentUpdate } from '../../../../lib/platform/errors.ts';
import { shardOf } from '../../../../lib/platform/ids.ts';
import { REQUIRED } from '../platform/environment.ts';

process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';

/** 2026-03-01T12:00:00Z. */
export const NOW_MS = 1_772_366_400_000;
const AT = '2026-03-01T12:00:00.000Z';

export const EUR_26 = { amount: 2598, currency: 'EUR' };

type ReservationPurpose = PendingReservingStockOrder['purpose'];

const ITEMS = [{ productId: 'mug', quantity: 2, unitPrice: { amount: 1299, currency: 'EUR' } }];

const ORDER = {
  orderId: 'ord_1',
  userId: 'alice',
  correlationId: 'corr-1',
  createdAtMs: NOW_MS - 60_000,
  version: 7,
  revision: 3,
  run: 2,
  attempt: 1,
  items: ITEMS,
  placedAs: 'items_1',
  modifications: 0,
  refunds: [],
};

const ORDER_FIELDS: Readonly<Record<OrderStatus, Readonly<Record<string, unknown>>>> = {
  CREATED: { dueAtMs: NOW_MS },
  PENDING_RESERVING_STOCK: { dueAtMs: NOW_MS, purpose: 'FIRST' },
  PENDING_PAYMENT: {
    dueAtMs: NOW_MS,
    total: EUR_26,
    heldRevision: 3,
    reservationExpiresAtMs: NOW_MS + 600_000,
    waitToken: 'user-wait',
  },
  PAYMENT_IN_PROGRESS: {
    dueAtMs: NOW_MS,
    total: EUR_26,
    paymentId: 'pay_1',
    heldRevision: 3,
    reservationExpiresAtMs: NOW_MS + 600_000,
    waitToken: 'user-wait',
  },
  PAYMENT_DONE: { total: EUR_26, paymentId: 'pay_1' },
  PAYMENT_FAILED: { reason: 'DECLINED', total: EUR_26, paymentId: 'pay_1' },
  ORDER_FAILED: { reason: 'RESERVATION_EXPIRED' },
  INVALID: { reason: 'OUT_OF_STOCK' },
  ORDER_CANCELLED: { reason: 'CANCELLED' },
};

const PURPOSE_FIELDS: Readonly<Record<ReservationPurpose, Readonly<Record<string, unknown>>>> = {
  FIRST: {},
  MODIFICATION: {
    total: EUR_26,
    former: { revision: 2, expiresAtMs: NOW_MS + 600_000 },
    modification: { status: 'PENDING', items: ITEMS },
  },
  PAYMENT_RETRY: { total: EUR_26, paymentId: 'pay_1' },
};

/** A stored order in that status; run 2, revision 3, version 7. */
export function orderIn<Status extends OrderStatus>(
  status: Status,
  changes: Partial<OrderIn<Status>> = {},
): OrderIn<Status> {
  const history = [{ from: null, to: status, reason: 'TEST', at: AT, by: 'test' }];
  const { purpose = 'FIRST' } = changes as { readonly purpose?: ReservationPurpose };
  const fields = { ...ORDER_FIELDS[status], ...PURPOSE_FIELDS[purpose] };
  const order = { ...ORDER, ...fields, status, history, ...changes };
  return order as unknown as OrderIn<Status>;
}

const PAYMENT = {
  paymentId: 'pay_1',
  orderId: 'ord_1',
  userId: 'alice',
  correlationId: 'corr-1',
  attempt: 1,
  revision: 3,
  amount: EUR_26,
  createdAtMs: NOW_MS - 1000,
  version: 4,
};

const PAYMENT_FIELDS: Readonly<Record<PaymentStatus, Readonly<Record<string, unknown>>>> = {
  INITIATED: { methodToken: 'tok_ok' },
  PENDING: {
    methodToken: 'tok_ok',
    waitToken: 'gateway-wait',
    acknowledgeByMs: NOW_MS + 180_000,
  },
  CAPTURED: {},
  DECLINED: { code: 'INSUFFICIENT_FUNDS' },
  VOIDED: { code: 'PAYMENT_VOIDED' },
  REFUNDED: { code: 'LATE_CAPTURE' },
  FAILED: { code: 'PAYMENT_UNCONFIRMED' },
};

/** A stored payment in that status; attempt 1, revision 3, version 4. */
export function paymentIn<Status extends PaymentStatus>(
  status: Status,
  changes: Partial<PaymentIn<Status>> = {},
): PaymentIn<Status> {
  const history = [{ from: null, to: status, reason: 'TEST', at: AT }];
  const payment = { ...PAYMENT, ...PAYMENT_FIELDS[status], status, history, ...changes };
  return payment as unknown as PaymentIn<Status>;
}

/** A clock that only a test moves; a sleep on it takes no time. */
class ManualClock {
  nowMs = NOW_MS;
  now(): number {
    return this.nowMs;
  }
  schedule(_delayMs: number, callback: () => void): () => void {
    queueMicrotask(callback);
    return () => undefined;
  }
}

interface Versioned {
  readonly status: string;
  readonly version: number;
}

function requireAsRead(stored: Versioned | undefined, previous: Versioned | undefined): void {
  if (stored?.status !== previous?.status || stored?.version !== previous?.version) {
    throw new ConcurrentUpdate('Changed meanwhile.');
  }
}

/** Everything that the saga's steps call, in memory, with a record of the calls in order. */
export class World {
  readonly clock = new ManualClock();
  readonly config = readConfig(REQUIRED);
  readonly deadlines = deadlinesOf(this.config);
  readonly stored = { orders: new Map<string, Order>(), payments: new Map<string, Payment>() };
  /** Every write and every call, in order: `save order PAYMENT_FAILED`, `gateway.charge pay_1`. */
  readonly calls: string[] = [];
  /** Called with each call's text before it; may throw, or change the stored state as a rival. */
  interfere: (call: string) => void = () => undefined;

  heldAtInventory:
    | (Pick<ReservationDocument, 'status' | 'revision'> & Partial<ReservationDocument>)
    | undefined;
  /** The reservation's items, if they differ from the order's. */
  reservedAtInventory: ReservationDocument['items'] | undefined;
  confirmAnswer: Partial<ReservationDocument> = {};
  chargeOutcome: Awaited<ReturnType<PaymentGateway['charge']>> = { status: 'CAPTURED' };
  foundCharge: Awaited<ReturnType<PaymentGateway['findCharge']>>;
  voidOutcome: Awaited<ReturnType<PaymentGateway['void']>> = { status: 'VOIDED' };
  refundOutcome: Awaited<ReturnType<PaymentGateway['refund']>> = { status: 'REFUNDED' };
  execution: Awaited<ReturnType<SagaClient['start']>> = { startedAtMs: NOW_MS };
  readonly deadLetters: Parameters<SagaQueues['deadLetter']>[0][] = [];
  readonly compensations: Parameters<SagaQueues['requestCompensation']>[0][] = [];
  readonly extendedBySeconds: number[] = [];
  /** Most that Inventory still holds. */
  longestHoldMs = Number.POSITIVE_INFINITY;
  /** Open orders of the only user, with the number of their writes. */
  openOrders: { version: number; entries: readonly OpenOrderEntry[] } = { version: 0, entries: [] };
  /** Today's prices. */
  readonly prices = new Map<string, Money>();

  constructor(order: Order, ...payments: readonly Payment[]) {
    this.put(order, ...payments);
  }

  /** Writes without a condition, as a concurrent process that came first. */
  put(...items: readonly (Order | Payment)[]): void {
    for (const item of items) {
      if ('amount' in item) this.stored.payments.set(item.paymentId, item);
      else this.stored.orders.set(item.orderId, item);
    }
  }

  /** Makes every call of one kind fail. */
  failAt(text: string, error: Error): void {
    this.interfere = (call) => {
      if (call.startsWith(text)) throw error;
    };
  }

  get order(): Order {
    return this.stored.orders.get('ord_1')!;
  }

  payment(paymentId = 'pay_1'): Payment {
    return this.stored.payments.get(paymentId)!;
  }

  get service(): WholeOrderService {
    const { clock, config, deadlines } = this;
    const service = {
      orders: this.#orders(),
      payments: this.#payments(),
      inventory: this.#inventory(),
      gateway: this.#gateway(),
      saga: this.#saga(),
      queues: this.#queues(),
      clock,
      config,
      deadlines,
      ids: { random: () => 'fresh' },
      random: () => 0.5,
    };
    // Repositories have private fields; a step uses only these methods of them.
    return service as unknown as WholeOrderService;
  }

  async #called(call: string): Promise<void> {
    await Promise.resolve();
    this.calls.push(call);
    this.interfere(call);
  }

  #saveOrder(next: Order, previous: Order): void {
    requireAsRead(this.stored.orders.get(next.orderId), previous);
    if (next.version !== previous.version + 1) throw new Error('A write without a new version.');
    this.stored.orders.set(next.orderId, next);
  }

  #savePayment(next: Payment, previous: Payment | undefined): void {
    requireAsRead(this.stored.payments.get(next.paymentId), previous);
    if (next.version !== (previous?.version ?? 0) + 1) throw new Error('Not a new version.');
    this.stored.payments.set(next.paymentId, next);
  }

  #orders(): Pick<
    OrderRepository,
    | 'getOrder'
    | 'getOrdersById'
    | 'getOpenOrders'
    | 'enterOpenOrder'
    | 'saveOpenOrders'
    | 'place'
    | 'save'
    | 'saveWithPayment'
    | 'dueCandidates'
  > {
    const { stored } = this;
    return {
      getOrder: async (orderId) => {
        await this.#called(`find order ${orderId}`);
        return stored.orders.get(orderId);
      },
      getOrdersById: async (orderIds) => {
        await this.#called(`find orders ${orderIds.join()}`);
        return new Map(orderIds.map((orderId) => [orderId, stored.orders.get(orderId)]));
      },
      getOpenOrders: async () => {
        await this.#called('find open orders');
        return this.openOrders;
      },
      enterOpenOrder: async (_userId, entry, maxEntries) => {
        await this.#called(`enter ${entry.orderId}`);
        const { version, entries } = this.openOrders;
        const isTaken = entries.some(({ itemsKey }) => itemsKey === entry.itemsKey);
        if (isTaken || entries.length >= maxEntries) return this.openOrders;
        this.openOrders = { version: version + 1, entries: [...entries, entry] };
        return undefined;
      },
      saveOpenOrders: async (_userId, entries, { version }) => {
        await this.#called(`save open orders ${entries.map(({ orderId }) => orderId).join()}`);
        if (this.openOrders.version !== version) throw new ConcurrentUpdate('Changed meanwhile.');
        this.openOrders = { version: version + 1, entries };
      },
      place: async (order) => {
        await this.#called(`place ${order.orderId}`);
        if (stored.orders.has(order.orderId)) return 'EXISTS';
        stored.orders.set(order.orderId, order);
        return 'PLACED';
      },
      save: async (next, previous) => {
        await this.#called(`save order ${next.status}`);
        this.#saveOrder(next, previous);
      },
      saveWithPayment: async (order, payment) => {
        await this.#called(`save order ${order.next.status} with payment ${payment.next.status}`);
        requireAsRead(stored.payments.get(payment.next.paymentId), payment.previous);
        this.#saveOrder(order.next, order.previous);
        this.#savePayment(payment.next, payment.previous);
      },
      dueCandidates: (shard) => this.#dueCandidates(shard),
    };
  }

  /** The index may name items that are not due, because the dispatcher reads each one again. */
  async *#dueCandidates(shard: number): AsyncGenerator<DueCandidate[]> {
    await this.#called(`find due ${shard}`);
    const { orders, payments } = this.stored;
    const facts = (item: Order | Payment) => ({
      orderId: item.orderId,
      correlationId: item.correlationId,
      dueAtMs: ('dueAtMs' in item ? item.dueAtMs : undefined) ?? NOW_MS,
    });
    const candidates = [
      ...[...orders].map(([id, order]) => ({ kind: 'ORDER' as const, id, ...facts(order) })),
      ...[...payments].map(([id, payment]) => ({
        kind: 'PAYMENT' as const,
        id,
        ...facts(payment),
      })),
    ];
    yield candidates.filter(({ id }) => shardOf(id, DUE_SHARDS) === shard);
  }

  #payments(): Pick<PaymentRepository, 'getPayment' | 'save'> {
    return {
      getPayment: async (paymentId) => {
        await this.#called(`find payment ${paymentId}`);
        return this.stored.payments.get(paymentId);
      },
      save: async (next, previous) => {
        await this.#called(`save payment ${next.status}`);
        this.#savePayment(next, previous);
      },
    };
  }

  #inventory(): InventoryClient {
    const answer = async (
      call: string,
      { orderId, revision }: { readonly orderId: string; readonly revision: number },
      status: ReservationDocument['status'],
      holdMs = this.deadlines.holdSeconds * 1000,
    ): Promise<ReservationDocument> => {
      await this.#called(`inventory.${call} ${orderId} revision ${revision}`);
      return {
        orderId,
        revision,
        status,
        items: ITEMS,
        expiresAt: status === 'HELD' ? new Date(NOW_MS + holdMs).toISOString() : null,
        remainingMs: status === 'HELD' ? holdMs : null,
        paymentId: null,
      };
    };
    return {
      reserve: async (of, _items, { holdSeconds }) => ({
        ...(await answer('reserve', of, 'HELD', Math.min(holdSeconds * 1000, this.longestHoldMs))),
        ...(this.reservedAtInventory === undefined ? {} : { items: this.reservedAtInventory }),
      }),
      release: (of) => answer('release', of, 'RELEASED'),
      findReservation: async (of) => {
        const found = await answer('find', of, 'HELD');
        return this.heldAtInventory === undefined
          ? undefined
          : { ...found, ...this.heldAtInventory };
      },
      confirm: async (of, paymentId) => ({
        ...(await answer(`confirm ${paymentId} for`, of, 'CONFIRMED')),
        paymentId,
        ...this.confirmAnswer,
      }),
      extend: (of, holdSeconds) => {
        this.extendedBySeconds.push(holdSeconds);
        return answer('extend', of, 'HELD', Math.min(holdSeconds * 1000, this.longestHoldMs));
      },
      quote: async (items, { orderId }, frozen) => {
        await this.#called(`inventory.quote ${orderId}`);
        return new Map(
          items.flatMap(({ productId }) => {
            const price = frozen.get(productId) ?? this.prices.get(productId);
            return price === undefined ? [] : [[productId, price] as const];
          }),
        );
      },
    };
  }

  #gateway(): PaymentGateway {
    return {
      charge: async ({ paymentId, amount, methodToken }) => {
        await this.#called(`gateway.charge ${paymentId} ${amount.amount} ${methodToken}`);
        return this.chargeOutcome;
      },
      findCharge: async (paymentId) => {
        await this.#called(`gateway.find ${paymentId}`);
        return this.foundCharge;
      },
      listCharges: async (orderId) => {
        await this.#called(`gateway.list ${orderId}`);
        return [];
      },
      void: async ({ paymentId }) => {
        await this.#called(`gateway.void ${paymentId}`);
        return this.voidOutcome;
      },
      refund: async (paymentId) => {
        await this.#called(`gateway.refund ${paymentId}`);
        return this.refundOutcome;
      },
    };
  }

  #saga(): SagaClient {
    return {
      start: async ({ orderId, run }) => {
        await this.#called(`saga.start ${orderId}-${run}`);
        return this.execution;
      },
      signal: async (waitToken) => {
        await this.#called(`saga.signal ${waitToken}`);
        return 'SIGNALLED';
      },
    };
  }

  #queues(): SagaQueues {
    return {
      deadLetter: async (letter) => {
        await this.#called(`dead letter ${letter.step} ${letter.error}`);
        this.deadLetters.push(letter);
      },
      requestCompensation: async (request) => {
        await this.#called(`request compensation ${request.orderId}`);
        this.compensations.push(request);
      },
    };
  }

  /** Writes, calls and messages, without reads. */
  get effects(): string[] {
    return this.calls.filter((call) => !call.startsWith('find '));
  }
}

/** The input of every saga step for the order in this world. */
export const RUN = { orderId: 'ord_1', run: 2, correlationId: 'corr-1' };
