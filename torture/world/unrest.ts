import { eventsOf } from '../../local/stack/service-definition.ts';
import type { Parts } from './parts.ts';
import type { RunningOrClosed, Snapshot, StoredOrder } from './snapshot.ts';

/** Statuses that the system, not the user, has to leave. */
const MOVING = ['CREATED', 'PENDING_RESERVING_STOCK', 'PAYMENT_IN_PROGRESS'];
const OPEN = ['INITIATED', 'PENDING'];

type Stored = Pick<Snapshot, 'orders' | 'payments' | 'reservations' | 'executions' | 'openTasks'>;

/** Running work and messages in flight, one text each; empty at rest. */
export function unrestOfParts({
  service,
  functions,
  storage,
  gateway,
}: Pick<Parts, 'service' | 'functions' | 'storage' | 'gateway'>): string[] {
  const { scheduledAcknowledgements: announced } = gateway;
  return [
    ...functions.running.map((key) => `${key} runs`),
    ...eventsOf(service, 'sqs').flatMap(({ event }) => {
      const { settings, messages } = storage.sourceOf(event).queue;
      return messages.map(({ body }) => `${settings.name} holds ${body}`);
    }),
    ...(announced === 0 ? [] : [`the gateway has ${String(announced)} acknowledgements to send`]),
  ];
}

/** Stored work that still moves by itself, one text each; empty at rest. */
export function unrestOfStored(
  { orders, payments, reservations, executions, openTasks }: Stored,
  nowMs: number,
): string[] {
  const waiting = new Set(orders.filter(isWaiting).map(nameOfRun));
  const running = new Set(executions.filter(isRunning).map(({ name }) => name));
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  return [
    ...orders.flatMap((order) => [
      ...(MOVING.includes(order.status) ? [`${order.orderId} is ${order.status}`] : []),
      ...(order.releaseOwed === undefined ? [] : [`${order.orderId} owes a release`]),
      ...(isTimeUp(order, nowMs) ? [`${order.orderId} is out of time`] : []),
      ...(isWaiting(order) || (order.dueAtMs ?? order.dueKeyMs) === undefined
        ? []
        : [`${order.orderId} is ${order.status} and due`]),
    ]),
    ...payments.flatMap(({ paymentId, status, refundOwed, voidOwed }) => [
      ...(OPEN.includes(status) ? [`${paymentId} is ${status}`] : []),
      ...(refundOwed === undefined ? [] : [`${paymentId} owes a refund`]),
      ...(voidOwed === undefined ? [] : [`${paymentId} owes a void`]),
    ]),
    ...reservations
      .filter(({ orderId, status }) => status === 'HELD' && !isWaiting(byId.get(orderId)))
      .map(({ orderId }) => `the stock of ${orderId} is held`),
    ...[...running].filter((name) => !waiting.has(name)).map((name) => `${name} runs`),
    ...[...waiting].filter((name) => !running.has(name)).map((name) => `${name} does not run`),
    ...(running.size > openTasks ? ['a saga does not wait, but for the next try of its step'] : []),
  ];
}

/** Tells if the order waits for its user, and the saga with it. */
function isWaiting(order: StoredOrder | undefined): boolean {
  return order?.status === 'PENDING_PAYMENT';
}

/** Tells if the order's hold has expired. */
function isTimeUp(order: StoredOrder, nowMs: number): boolean {
  return isWaiting(order) && (order.reservationExpiresAtMs ?? 0) <= nowMs;
}

function nameOfRun({ orderId, run }: StoredOrder): string {
  return `${orderId}-${String(run)}`;
}

function isRunning({ status }: RunningOrClosed): boolean {
  return status === 'RUNNING';
}
