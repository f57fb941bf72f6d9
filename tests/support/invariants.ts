import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { documentClient } from '../../lib/platform/dynamo/database-client.ts';
import type { Verdict } from '../../tools/doctor/second-look.ts';
import { isDirect } from '../../torture/direct-orders.ts';
import { brokenPromises } from '../../torture/promises.ts';
import {
  paymentsIn,
  type StoredOrder,
  toStoredOrder,
  type Snapshot as WholeSnapshot,
} from '../../torture/world/snapshot.ts';
import { consultDoctor } from './doctor.ts';
import { type Charge, chargesOf, isOwn } from './shop.ts';
import { eventually, executions, messagesLeftIn } from './stack.ts';
import { isDeployed } from './target.ts';
import type { TestStack } from './test-stack.ts';

export type Snapshot = Pick<WholeSnapshot, 'orders' | 'payments' | 'products' | 'reservations'>;

/** All items of a table, by its logical id. */
export async function scan(stack: TestStack, table: string): Promise<Record<string, unknown>[]> {
  const documents = documentClient(stack.runtime().aws);
  const items: Record<string, unknown>[] = [];
  let startKey: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new ScanCommand({
        TableName: stack.tableNames[table],
        ConsistentRead: true,
        ExclusiveStartKey: startKey,
      }),
    );
    items.push(...(page.Items ?? []));
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
  return items;
}

/** Everything that both services have stored. */
export async function snapshotOf(stack: TestStack): Promise<Snapshot> {
  const [orderItems, inventoryItems] = await Promise.all([
    scan(stack, 'OrdersTable'),
    scan(stack, 'InventoryTable'),
  ]);
  const ofType = (items: Record<string, unknown>[], type: string): unknown[] =>
    items.filter((item) => item['type'] === type);
  const stored = ofType(orderItems, 'ORDER');
  const everything = {
    orders: stored.map(toStoredOrder),
    payments: stored.flatMap(paymentsIn),
    products: ofType(inventoryItems, 'PRODUCT') as Snapshot['products'],
    reservations: ofType(inventoryItems, 'RESERVATION') as Snapshot['reservations'],
  };
  return isDeployed ? ownPartOf(everything) : everything;
}

/** The items that this test file made, on a stack that it shares with others. */
function ownPartOf({ orders, payments, products, reservations }: Snapshot): Snapshot {
  const ownOrders = orders.filter(isOwn);
  const orderIds = new Set(ownOrders.map(({ orderId }) => orderId));
  return {
    orders: ownOrders,
    payments: payments.filter(({ orderId }) => orderIds.has(orderId)),
    products: products.filter(isOwn),
    reservations: reservations.filter((one) => orderIds.has(one.orderId) || isOwn(one)),
  };
}

export async function ordersOf(stack: TestStack, userId: string): Promise<StoredOrder[]> {
  const { orders } = await snapshotOf(stack);
  return orders.filter((order) => order.userId === userId);
}

/** A stored order, including counters that the API does not show. */
export async function storedOrder(stack: TestStack, orderId: string): Promise<StoredOrder> {
  const { orders } = await snapshotOf(stack);
  const order = orders.find((one) => one.orderId === orderId);
  if (order === undefined) throw new Error(`There is no order ${orderId}.`);
  return order;
}

const RESTING = [
  'PENDING_PAYMENT',
  'PAYMENT_DONE',
  'PAYMENT_FAILED',
  'ORDER_FAILED',
  'INVALID',
  'ORDER_CANCELLED',
];

/**
 * Waits for rest, then checks the promises P1, P2, P3, P5 and P6 on the stored state of both services and the
 * charges. The doctor checks the promises independently, and must find nothing either.
 */
export async function expectPromisesAtRest(stack: TestStack): Promise<void> {
  const snapshot = await eventually(() => expectRest(stack));
  const charges = await chargesByOrder(stack, snapshot.orders);
  expect({
    ...brokenPromises(snapshot, charges),
  }).toEqual({ P1: [], P2: [], P3: [], P5: [], P6: [] });
  const { verdicts, summary } = await consultDoctor(stack);
  const orderIds = new Set(snapshot.orders.map(({ orderId }) => orderId));
  const isOurs = (verdict: Verdict) =>
    !isDeployed || isOwn(verdict) || orderIds.has(verdict.disagreement.orderId ?? '');
  expect(verdicts.filter(isOfAnOrder).filter(isOurs)).toEqual([]);
  if (isDeployed) return;
  expect(summary).toMatchObject({
    inMotion: { items: 0, products: [] },
    unasked: { orders: 0 },
  });
}

/** Tests of the Inventory Service alone make reservations without an order. */
function isOfAnOrder({ disagreement: { check, orderId } }: Verdict): boolean {
  return check !== 'order-missing' || (orderId !== undefined && !isDirect(orderId));
}

/** @throws if anything is under way or owed. */
export async function expectRest(stack: TestStack): Promise<Snapshot> {
  const [snapshot, all] = await Promise.all([snapshotOf(stack), executions(stack)]);
  expect(unrest(snapshot, stack.clock.now())).toEqual([]);
  const orderIds = new Set(snapshot.orders.map(({ orderId }) => orderId));
  const running = all.filter(
    ({ name = '', status }) =>
      status === 'RUNNING' && (!isDeployed || orderIds.has(name.replace(/-\d+$/, ''))),
  );
  const waiting = snapshot.orders.filter(({ status }) => status === 'PENDING_PAYMENT');
  expect(running.map(({ name }) => name).sort()).toEqual(
    waiting.map(({ orderId, run }) => `${orderId}-${String(run)}`).sort(),
  );
  expect(await messagesLeftIn(stack, 'CompensationQueue')).toBe(0);
  return snapshot;
}

async function chargesByOrder(
  stack: TestStack,
  orders: readonly StoredOrder[],
): Promise<ReadonlyMap<string, readonly Charge[]>> {
  const charges = orders.map(
    async ({ orderId }) => [orderId, await chargesOf(stack, orderId)] as const,
  );
  return new Map(await Promise.all(charges));
}

/** P5 at rest: nothing is under way and nothing is owed. */
function unrest({ orders, payments }: Snapshot, nowMs: number): string[] {
  return [
    // The sweeper may have released the stock of such an order already; its saga is about to fail it.
    ...orders
      .filter(({ reservationExpiresAtMs = Infinity }) => reservationExpiresAtMs <= nowMs)
      .filter(({ status }) => status === 'PENDING_PAYMENT')
      .map(({ orderId }) => `${orderId} waits for its payment past its time`),
    ...orders
      .filter(({ status }) => !RESTING.includes(status))
      .map(({ orderId, status }) => `${orderId} is ${status}`),
    ...orders
      .filter(({ releaseOwed }) => releaseOwed !== undefined)
      .map(({ orderId }) => `${orderId} owes a release`),
    ...orders
      .filter(({ status, dueAtMs }) => status !== 'PENDING_PAYMENT' && dueAtMs !== undefined)
      .map(({ orderId, status }) => `${orderId} is ${status} and due`),
    ...payments
      .filter(({ status }) => status === 'INITIATED' || status === 'PENDING')
      .map(({ paymentId, status }) => `${paymentId} is ${status}`),
    ...payments
      .filter(({ refundOwed, voidOwed }) => (refundOwed ?? voidOwed) !== undefined)
      .map(({ paymentId }) => `${paymentId} owes a refund or a void`),
  ];
}
