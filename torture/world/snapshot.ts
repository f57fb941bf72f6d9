import type { Charge } from '../../local/companion/gateway/charges.ts';
import type { Table } from '../../local/dynamodb/table.ts';
import { plain } from '../../local/dynamodb/values.ts';
import type { Parts } from './parts.ts';

interface Change {
  readonly from: string | null;
  readonly to: string;
  readonly reason: string;
  readonly at: string;
}

export interface StoredLine {
  readonly productId: string;
  readonly quantity: number;
  readonly unitPrice?: { readonly amount: number; readonly currency: string } | null;
}

export interface StoredOrder {
  readonly orderId: string;
  readonly userId: string;
  readonly status: string;
  readonly createdAtMs: number;
  readonly version: number;
  readonly items: readonly StoredLine[];
  readonly revision: number;
  /** Revision that Inventory holds, while the order waits for its payment. */
  readonly heldRevision?: number;
  /** End of the hold that the user was promised, while the order waits for its payment. */
  readonly reservationExpiresAtMs?: number;
  readonly run: number;
  /** Payments so far. */
  readonly attempt: number;
  readonly modifications: number;
  readonly modification?: { readonly status: string; readonly items: readonly StoredLine[] };
  /** The current payment: the last one in the order's item. */
  readonly paymentId?: string;
  readonly releaseOwed?: unknown;
  /** Time of the order's own next move or release. */
  readonly dueAtMs?: number;
  /** Key of the outbox's index, by which the dispatcher finds the order. */
  readonly dueKeyMs?: number;
  readonly total?: { readonly amount: number; readonly currency: string };
  readonly history: readonly (Change & { readonly by: string })[];
}

/** A payment in its order's item, with the order that it is in. */
export interface StoredPayment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly userId: string;
  readonly status: string;
  /** Revision of the reservation that it pays for. */
  readonly revision: number;
  readonly amount: { readonly amount: number; readonly currency: string };
  /** Names the item with the token of its method, while it is open. */
  readonly methodId?: string;
  readonly refundOwed?: { readonly reason: string; readonly dueAtMs: number };
  readonly voidOwed?: { readonly dueAtMs: number };
  readonly history: readonly Change[];
}

export interface StoredProduct {
  readonly productId: string;
  readonly status: string;
  readonly unitPrice: { readonly amount: number; readonly currency: string };
  readonly maxPerOrder?: number;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
  readonly received: number;
}

export interface StoredReservation {
  readonly orderId: string;
  readonly status: string;
  readonly revision: number;
  readonly lines?: readonly StoredLine[];
  readonly expiresAtMs?: number;
  readonly paymentId?: string;
}

/** A user's open orders: besides these attributes, one for each entry. */
export interface StoredOpenOrders {
  readonly pk: string;
  readonly entryCount: number;
}

/** The token of a payment's method. */
export interface StoredMethod {
  readonly pk: string;
  /** Absent as soon as the payment has settled. */
  readonly token?: string;
  /** Unix time in seconds from which the database removes it. */
  readonly ttl: number;
}

/** The attempt of a step that waits for a decision on its order, or was the last one to wait. */
export interface StoredWait {
  readonly orderId: string;
  readonly run: number;
  readonly enteredAtMs: number;
  readonly retryCount: number;
  /** Tells if a task waits for the token that is stored. */
  readonly isOpen: boolean;
}

export interface RunningOrClosed {
  readonly name: string;
  readonly status: string;
}

/** All stored state of the world at one moment. */
export interface Snapshot {
  readonly orders: readonly StoredOrder[];
  readonly openOrders: readonly StoredOpenOrders[];
  readonly payments: readonly StoredPayment[];
  readonly methods: readonly StoredMethod[];
  readonly waits: readonly StoredWait[];
  readonly products: readonly StoredProduct[];
  readonly reservations: readonly StoredReservation[];
  /** Charges at the gateway by order id, for stored orders only. */
  readonly charges: ReadonlyMap<string, readonly Charge[]>;
  /** Oldest first. */
  readonly executions: readonly RunningOrClosed[];
  /** Number of tasks that wait for a token. */
  readonly openTasks: number;
  /** Message bodies by the queue's logical id, including dead-letter queues. */
  readonly queues: Readonly<Record<string, readonly unknown[]>>;
}

export function takeSnapshot({
  service,
  storage,
  gateway,
  stepFunctions,
}: Pick<Parts, 'service' | 'storage' | 'gateway' | 'stepFunctions'>): Snapshot {
  const orderItems = itemsOf(storage.orders, 'ORDER');
  const orders = orderItems.map(toStoredOrder);
  const { name: saga } = service.stepFunctions.stateMachines.orderSaga;
  return {
    orders,
    openOrders: itemsOf(storage.orders, 'OPEN_ORDERS') as readonly StoredOpenOrders[],
    payments: orderItems.flatMap(paymentsIn),
    methods: itemsOf(storage.orders, 'METHOD') as readonly StoredMethod[],
    waits: itemsOf(storage.orders, 'WAIT').map((item) => toStoredWait(item, stepFunctions)),
    products: itemsOf(storage.inventory, 'PRODUCT') as readonly StoredProduct[],
    reservations: itemsOf(storage.inventory, 'RESERVATION') as readonly StoredReservation[],
    charges: new Map(orders.map(({ orderId }) => [orderId, gateway.chargesOf(orderId)])),
    executions: stepFunctions.executions
      .listOf(stepFunctions.stateMachineArn(saga))
      .map(({ name, status }) => ({ name, status }))
      .reverse(),
    openTasks: stepFunctions.tokens.openTasks,
    queues: Object.fromEntries(
      Object.entries(storage.queueUrls).map(([logicalId, url]) => [
        logicalId,
        storage.sqs.queue(url.split('/').at(-1)).messages.map(({ body }) => parse(body)),
      ]),
    ),
  };
}

/** An order's item as it is stored: its payments are in it, the current one last. */
interface OrderItem extends Omit<StoredOrder, 'orderId' | 'userId' | 'history'> {
  readonly pk: string;
  readonly ownerId: string;
  readonly history: readonly StoredStep<StoredOrder['history'][number]>[];
  readonly payments: readonly PaymentItem[];
}

type PaymentItem = Omit<StoredPayment, 'orderId' | 'userId' | 'history'> & {
  readonly history: readonly StoredStep<Change>[];
};

/** A step as it is stored: the one before says where it comes from. */
type StoredStep<Kind extends Change> = Omit<Kind, 'from' | 'at'> & { readonly atMs: number };

export function toStoredOrder(item: unknown): StoredOrder {
  const { pk, ownerId, payments, history, ...order } = item as OrderItem;
  const paymentId = payments.at(-1)?.paymentId;
  return {
    ...order,
    orderId: orderIdIn(pk),
    userId: ownerId,
    history: stepsOf<StoredOrder['history'][number]>(history),
    attempt: payments.length,
    ...(paymentId === undefined ? {} : { paymentId }),
  };
}

export function paymentsIn(item: unknown): StoredPayment[] {
  const { pk, ownerId, payments } = item as OrderItem;
  return payments.map(({ history, ...payment }) => ({
    ...payment,
    orderId: orderIdIn(pk),
    userId: ownerId,
    history: stepsOf<Change>(history),
  }));
}

/** The id of the order in the key of its item. */
function orderIdIn(pk: string): string {
  return pk.slice('ORDER#'.length);
}

function stepsOf<Kind extends Change>(history: readonly StoredStep<Kind>[]): Kind[] {
  return history.map(({ atMs, ...step }, index) => {
    const from = history[index - 1]?.to ?? null;
    return { from, ...step, at: new Date(atMs).toISOString() } as unknown as Kind;
  });
}

function toStoredWait(item: unknown, { tokens }: Parts['stepFunctions']): StoredWait {
  const { pk, token, ...attempt } = item as StoredWait & { readonly pk: string; token: string };
  const orderId = pk.slice('WAIT#'.length);
  return { ...attempt, orderId, isOpen: tokens.isWaitedFor(token) };
}

/** Items of one type, as plain values; lib defines their shapes. */
function itemsOf(table: Table, type: string): readonly unknown[] {
  return [...table.items()].filter((item) => item['type']?.S === type).map(plain);
}

function parse(body: string): unknown {
  return JSON.parse(body);
}
