import type { ReservationDocument } from '../../../../lib/inventory/http/reservation-response.ts';
import type { InventoryClient } from '../../../../lib/inventory/inventory-client.ts';
import type { Money } from '../../../../lib/money.ts';
import { toOrderDocument } from '../../../../lib/orders/http/responses.ts';
import { moveOrder } from '../../../../lib/orders/moves.ts';
import type { OpenOrderEntry } from '../../../../lib/orders/open-orders.ts';
import type {
  Order,
  OrderIn,
  OrderStatus,
  PendingReservingStockOrder,
} from '../../../../lib/orders/order.ts';
import { earliestDueMs } from '../../../../lib/orders/order-due.ts';
import {
  assertPaidMeansYours,
  paymentOf,
  withPayment,
} from '../../../../lib/orders/order-payments.ts';
import type { DueCandidate, OrderRepository } from '../../../../lib/orders/order-repository.ts';
import { deadlinesOf } from '../../../../lib/orders/recovery/deadlines.ts';
import type { SagaQueues } from '../../../../lib/orders/recovery/saga-queues.ts';
import type { SagaClient } from '../../../../lib/orders/saga-client.ts';
import type { Wait } from '../../../../lib/orders/stored-wait.ts';
import type { WholeOrderService } from '../../../../lib/orders/whole-order-service.ts';
import type { Payment, PaymentIn, PaymentStatus } from '../../../../lib/payments/payment.ts';
import type { PaymentGateway } from '../../../../lib/payments/payment-gateway.ts';
import { readConfig } from '../../../../lib/platform/config.ts';
import { DUE_SHARDS } from '../../../../lib/platform/dynamo/items.ts';
import { ConcurrentUpdate } from '../../../../lib/platform/errors.ts';
import { shardOf } from '../../../../lib/platform/ids.ts';
import { REQUIRED } from '../platform/environment.ts';

/** 2026-03-01T12:00:00Z. */
export const NOW_MS = 1_772_366_400_000;
const AT = '2026-03-01T12:00:00.000Z';

export const EUR_26 = { amount: 2598, currency: 'EUR' };

type ReservationPurpose = PendingReservingStockOrder['purpose'];

const PAYMENT = {
  paymentId: 'pay_1',
  attempt: 1,
  revision: 3,
  amount: EUR_26,
  createdAtMs: NOW_MS,
};

const PAYMENT_FIELDS: Readonly<Record<PaymentStatus, Readonly<Record<string, unknown>>>> = {
  INITIATED: { methodId: 'met_1' },
  PENDING: {
    methodId: 'met_1',
    acknowledgeByMs: NOW_MS + 180_000,
  },
  CAPTURED: {},
  DECLINED: { code: 'INSUFFICIENT_FUNDS' },
  VOIDED: { code: 'PAYMENT_VOIDED' },
  REFUNDED: { code: 'LATE_CAPTURE' },
  FAILED: { code: 'PAYMENT_UNCONFIRMED' },
};

/** A payment of that order in that status; attempt 1, revision 3. */
export function paymentIn<Status extends PaymentStatus>(
  status: Status,
  changes: Partial<PaymentIn<Status>> = {},
): PaymentIn<Status> {
  const history = [{ from: null, to: status, reason: 'TEST', at: AT }];
  const payment = { ...PAYMENT, ...PAYMENT_FIELDS[status], status, history, ...changes };
  return payment as unknown as PaymentIn<Status>;
}

const ITEMS = [{ productId: 'mug', quantity: 2, unitPrice: { amount: 1299, currency: 'EUR' } }];

const ORDER = {
  orderId: 'ord_1',
  userId: 'alice',
  correlationId: 'corr-1',
  createdAtMs: NOW_MS - 60_000,
  version: 7,
  writes: 17,
  revision: 3,
  run: 2,
  items: ITEMS,
  placedAs: 'items_1',
  modifications: 0,
  payments: [],
};

const ORDER_FIELDS: Readonly<Record<OrderStatus, Readonly<Record<string, unknown>>>> = {
  CREATED: { dueAtMs: NOW_MS },
  PENDING_RESERVING_STOCK: { dueAtMs: NOW_MS, purpose: 'FIRST' },
  PENDING_PAYMENT: {
    dueAtMs: NOW_MS,
    total: EUR_26,
    heldRevision: 3,
    reservationExpiresAtMs: NOW_MS + 600_000,
  },
  PAYMENT_IN_PROGRESS: {
    dueAtMs: NOW_MS,
    total: EUR_26,
    payments: [paymentIn('INITIATED')],
    heldRevision: 3,
    reservationExpiresAtMs: NOW_MS + 600_000,
  },
  PAYMENT_DONE: { total: EUR_26, payments: [paymentIn('CAPTURED')] },
  PAYMENT_FAILED: { reason: 'DECLINED', total: EUR_26, payments: [paymentIn('DECLINED')] },
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
  PAYMENT_RETRY: { total: EUR_26, payments: [paymentIn('INITIATED')] },
};

/** A stored order in that status; run 2, revision 3, version 7, 17 writes. */
export function orderIn<Status extends OrderStatus>(
  status: Status,
  changes: Partial<OrderIn<Status>> = {},
): OrderIn<Status> {
  const history = [{ from: null, to: status, reason: 'TEST', at: AT, by: 'user' }];
  const { purpose = 'FIRST' } = changes as { readonly purpose?: ReservationPurpose };
  const fields = { ...ORDER_FIELDS[status], ...PURPOSE_FIELDS[purpose] };
  const order = { ...ORDER, ...fields, status, history, ...changes };
  return order as unknown as OrderIn<Status>;
}

/** An attempt of that order's run that waits since a minute. */
export function waitOf(token: string, changes: Partial<Wait> = {}): Wait {
  return {
    orderId: 'ord_1',
    run: 2,
    enteredAtMs: NOW_MS - 60_000,
    retryCount: 0,
    token,
    ...changes,
  };
}

/** Statuses before which a step has stored its token. */
const AFTER_A_WAIT: readonly OrderStatus[] = ['PENDING_PAYMENT', 'PAYMENT_IN_PROGRESS'];

/** Tells if an attempt may store its token over another one's, by hand. */
function isNoOlder(wait: Wait, stored: Wait): boolean {
  if (wait.run !== stored.run) return wait.run > stored.run;
  if (wait.enteredAtMs !== stored.enteredAtMs) return wait.enteredAtMs > stored.enteredAtMs;
  return wait.retryCount >= stored.retryCount;
}

/** Names that payment. */
export const KEY = { orderId: 'ord_1', paymentId: 'pay_1' };

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

/** `order PAYMENT_DONE`, `order PAYMENT_IN_PROGRESS with payment INITIATED`, or `payment CAPTURED` if the order stays. */
function changeInWords(next: Order, previous: Order): string {
  const changed = next.payments
    .filter((payment) => payment !== paymentOf(previous, payment.paymentId))
    .map(({ status }) => `payment ${status}`)
    .join(' and ');
  if (changed === '') return `order ${next.status}`;
  return next.status === previous.status ? changed : `order ${next.status} with ${changed}`;
}

/** Everything that the saga's steps call, in memory, with a record of the calls in order. */
export class World {
  readonly clock = new ManualClock();
  readonly config = readConfig(REQUIRED);
  readonly deadlines = deadlinesOf(this.config);
  readonly stored = new Map<string, Order>();
  /** Tokens of payment methods, by their id. */
  readonly methods = new Map([['met_1', 'tok_ok']]);
  /** The stored task token, with its attempt. */
  wait: Wait | undefined;
  /** Every write and every call, in order: `save order PAYMENT_FAILED`, `gateway.charge pay_1`. */
  readonly calls: string[] = [];
  /** Called with each call's text before it; may throw, or change the stored state as a rival. */
  interfere: (call: string) => void = () => undefined;

  /** Places of calls that wait, taken so far. */
  waitPlaces = 0;

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

  /** @param payments of the order, oldest first; by default those that it has. */
  constructor(order: Order, ...payments: readonly Payment[]) {
    this.put(payments.length === 0 ? order : ({ ...order, payments } as Order));
    if (AFTER_A_WAIT.includes(order.status)) this.wait = waitOf('user-wait');
  }

  /** Writes without a condition, as a concurrent process that came first. */
  put(...items: readonly (Order | Payment)[]): void {
    for (const item of items) {
      if ('orderId' in item) this.stored.set(item.orderId, item);
      else {
        const { order } = this;
        const next = { ...order, ...withPayment(order, item), writes: order.writes + 1 };
        this.stored.set(order.orderId, next);
      }
    }
  }

  /** Just before the first such call, a rival's write of the order that no caller can see. */
  touchBefore(text: string): void {
    let isFirst = true;
    this.interfere = (call) => {
      if (!call.startsWith(text) || !isFirst) return;
      isFirst = false;
      this.put({ ...this.order, writes: this.order.writes + 1 });
    };
  }

  /** Makes every call of one kind fail. */
  failAt(text: string, error: Error): void {
    this.interfere = (call) => {
      if (call.startsWith(text)) throw error;
    };
  }

  get order(): Order {
    return this.stored.get('ord_1')!;
  }

  payment(paymentId = 'pay_1'): Payment {
    return paymentOf(this.order, paymentId)!;
  }

  get service(): WholeOrderService {
    const { clock, config, deadlines } = this;
    const service = {
      orders: this.#orders(),
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
    const stored = this.stored.get(next.orderId);
    if (stored?.status !== previous.status || stored.writes !== previous.writes) {
      throw new ConcurrentUpdate('Changed meanwhile.');
    }
    if (next.writes !== previous.writes + 1) throw new Error('A write that is not counted.');
    assertPaidMeansYours(next);
    const isShown = this.#shown(next) !== this.#shown(previous);
    if (next.version !== previous.version + (isShown ? 1 : 0)) {
      throw new Error('The version does not count what a caller can see.');
    }
    this.stored.set(next.orderId, next);
  }

  /** All that a caller sees of the order, without its version. */
  #shown(order: Order): string {
    const { modifications } = order;
    const { waiting, ...document } = toOrderDocument(this.service, order);
    // A pause passes by itself.
    const waits = { for: waiting?.for, since: waiting?.since };
    return JSON.stringify({ ...document, waits, modifications, version: undefined });
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
    | 'dueCandidates'
    | 'correctDueKey'
    | 'keepMethod'
    | 'getMethod'
    | 'startReserving'
    | 'forgetMethod'
    | 'takeWaitPlace'
    | 'storeWait'
    | 'getWaitToken'
  > {
    const { stored } = this;
    return {
      getOrder: async (orderId) => {
        await this.#called(`find order ${orderId}`);
        return stored.get(orderId);
      },
      getOrdersById: async (orderIds) => {
        await this.#called(`find orders ${orderIds.join()}`);
        return new Map(orderIds.map((orderId) => [orderId, stored.get(orderId)]));
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
        if (stored.has(order.orderId)) return 'EXISTS';
        stored.set(order.orderId, order);
        return 'PLACED';
      },
      save: async (next, previous) => {
        await this.#called(`save ${changeInWords(next, previous)}`);
        this.#saveOrder(next, previous);
      },
      startReserving: async (orderId, run, dueAtMs, move) => {
        const isMoved = stored.get(orderId)?.status === 'CREATED';
        await this.#called(
          isMoved ? 'save order PENDING_RESERVING_STOCK' : `find order ${orderId}`,
        );
        const order = stored.get(orderId);
        if (order?.status !== 'CREATED' || order.run !== run) return order;
        const fields = { purpose: 'FIRST', dueAtMs } as const;
        const next = moveOrder(order, 'PENDING_RESERVING_STOCK', fields, move);
        this.#saveOrder(next, order);
        return next;
      },
      dueCandidates: (shard) => this.#dueCandidates(shard),
      keepMethod: async (methodId, token) => {
        await this.#called(`keep method ${token}`);
        this.methods.set(methodId, token);
      },
      getMethod: async (methodId) => {
        await this.#called(`find method ${methodId}`);
        return this.methods.get(methodId);
      },
      forgetMethod: async (methodId) => {
        await Promise.resolve();
        this.interfere(`forget method ${methodId}`);
        this.methods.delete(methodId);
      },
      correctDueKey: async ({ orderId }) => {
        await this.#called(`correct due key ${orderId}`);
      },
      takeWaitPlace: async (_nowMs, most) => {
        await this.#called('take wait place');
        this.waitPlaces += 1;
        return this.waitPlaces <= most;
      },
      storeWait: async (wait) => {
        await this.#called(`store ${wait.token}`);
        if (this.wait !== undefined && !isNoOlder(wait, this.wait)) return 'NEWER_THERE';
        const { orderId, run, enteredAtMs, retryCount, token } = wait;
        this.wait = { orderId, run, enteredAtMs, retryCount, token };
        return 'STORED';
      },
      getWaitToken: async (orderId) => {
        await this.#called(`find wait ${orderId}`);
        return this.wait?.token;
      },
    };
  }

  /** The index may name orders that are not due, because the dispatcher reads each one again. */
  async *#dueCandidates(shard: number): AsyncGenerator<DueCandidate[]> {
    await this.#called(`find due ${shard}`);
    const candidates = [...this.stored.values()].map((order) => ({
      orderId: order.orderId,
      correlationId: order.correlationId,
      dueKeyMs: earliestDueMs(order) ?? NOW_MS,
    }));
    yield candidates.filter(({ orderId }) => shardOf(orderId, DUE_SHARDS) === shard);
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
      findCharge: async ({ paymentId }) => {
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
      refund: async ({ paymentId }) => {
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
