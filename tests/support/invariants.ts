import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import type { EmbeddedStack } from '../../local/stack/embedded-stack.ts';
import type { Verdict } from '../../tools/doctor/second-look.ts';
import { consultDoctor } from './doctor.ts';
import { type Charge, chargesOf } from './shop.ts';
import { eventually, executions, messagesIn } from './stack.ts';

interface Change {
  readonly from: string | null;
  readonly to: string;
  readonly reason: string;
  readonly at: string;
}

export interface StoredOrder {
  readonly orderId: string;
  readonly userId: string;
  readonly status: string;
  readonly revision: number;
  /** While it waits for its payment: what Inventory holds; older after a refused modification. */
  readonly heldRevision?: number;
  readonly run: number;
  readonly attempt: number;
  readonly modifications: number;
  readonly paymentId?: string;
  readonly releaseOwed?: unknown;
  readonly dueAtMs?: number;
  readonly total?: { readonly amount: number; readonly currency: string };
  readonly refunds: readonly { readonly paymentId: string }[];
  readonly history: readonly (Change & { readonly by: string })[];
}

export interface StoredPayment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly status: string;
  readonly amount: { readonly amount: number; readonly currency: string };
  readonly methodToken?: string;
  readonly refundOwed?: unknown;
  readonly voidOwed?: boolean;
  readonly dueAtMs?: number;
  readonly history: readonly Change[];
}

export interface StoredProduct {
  readonly productId: string;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
  readonly received: number;
}

export interface StoredReservation {
  readonly orderId: string;
  readonly status: string;
  readonly revision: number;
  readonly lines?: readonly { readonly productId: string; readonly quantity: number }[];
  readonly paymentId?: string;
}

export interface Snapshot {
  readonly orders: readonly StoredOrder[];
  readonly payments: readonly StoredPayment[];
  readonly products: readonly StoredProduct[];
  readonly reservations: readonly StoredReservation[];
}

function documents(stack: EmbeddedStack): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint: stack.endpoints.dynamodb,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
  );
}

async function scan(stack: EmbeddedStack, table: string): Promise<Record<string, unknown>[]> {
  const client = documents(stack);
  const items: Record<string, unknown>[] = [];
  let startKey: Record<string, unknown> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: stack.tableNames[table],
        ConsistentRead: true,
        ExclusiveStartKey: startKey,
      }),
    );
    items.push(...(page.Items ?? []));
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
  client.destroy();
  return items;
}

/** Everything that both services have stored. */
export async function snapshotOf(stack: EmbeddedStack): Promise<Snapshot> {
  const [orderItems, inventoryItems] = await Promise.all([
    scan(stack, 'OrdersTable'),
    scan(stack, 'InventoryTable'),
  ]);
  const ofType = (items: Record<string, unknown>[], type: string): unknown[] =>
    items.filter((item) => item['type'] === type);
  return {
    orders: ofType(orderItems, 'ORDER') as StoredOrder[],
    payments: ofType(orderItems, 'PAYMENT') as StoredPayment[],
    products: ofType(inventoryItems, 'PRODUCT') as StoredProduct[],
    reservations: ofType(inventoryItems, 'RESERVATION') as StoredReservation[],
  };
}

export async function ordersOf(stack: EmbeddedStack, userId: string): Promise<StoredOrder[]> {
  const { orders } = await snapshotOf(stack);
  return orders.filter((order) => order.userId === userId);
}

/** One order as it is stored, with the counters that the API does not show. */
export async function storedOrder(stack: EmbeddedStack, orderId: string): Promise<StoredOrder> {
  const { orders } = await snapshotOf(stack);
  const order = orders.find((one) => one.orderId === orderId);
  if (order === undefined) throw new Error(`There is no order ${orderId}.`);
  return order;
}

/** Puts a product on sale, which the API cannot do yet. */
export async function putOnSale(stack: EmbeddedStack, productId: string): Promise<void> {
  const client = documents(stack);
  await client.send(
    new UpdateCommand({
      TableName: stack.tableNames['InventoryTable'],
      Key: { pk: `PRODUCT#${productId}` },
      UpdateExpression: 'SET #status = :active',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':active': 'ACTIVE' },
    }),
  );
  client.destroy();
}

/** Copied by hand from the table in section 2 of the specification. */
const ORDER_MOVES: readonly (readonly [from: string | null, to: string])[] = [
  [null, 'CREATED'],
  [null, 'INVALID'],
  ['CREATED', 'PENDING_RESERVING_STOCK'],
  ['CREATED', 'ORDER_CANCELLED'],
  ['PENDING_RESERVING_STOCK', 'ORDER_CANCELLED'],
  ['PENDING_PAYMENT', 'ORDER_CANCELLED'],
  ['PAYMENT_FAILED', 'ORDER_CANCELLED'],
  ['ORDER_FAILED', 'ORDER_CANCELLED'],
  ['PENDING_RESERVING_STOCK', 'PENDING_PAYMENT'],
  ['PENDING_RESERVING_STOCK', 'PAYMENT_IN_PROGRESS'],
  ['PENDING_RESERVING_STOCK', 'INVALID'],
  ['PENDING_RESERVING_STOCK', 'ORDER_FAILED'],
  ['PENDING_RESERVING_STOCK', 'PAYMENT_FAILED'],
  ['PENDING_PAYMENT', 'PAYMENT_IN_PROGRESS'],
  ['PENDING_PAYMENT', 'PENDING_RESERVING_STOCK'],
  ['PENDING_PAYMENT', 'ORDER_FAILED'],
  ['PAYMENT_IN_PROGRESS', 'PAYMENT_DONE'],
  ['PAYMENT_IN_PROGRESS', 'PAYMENT_FAILED'],
  ['PAYMENT_IN_PROGRESS', 'PENDING_RESERVING_STOCK'],
  ['PAYMENT_FAILED', 'PENDING_RESERVING_STOCK'],
  ['ORDER_FAILED', 'CREATED'],
];

/** A settled payment changes only where its money did come, after all, or goes back. */
const PAYMENT_MOVES: readonly (readonly [from: string | null, to: string])[] = [
  [null, 'INITIATED'],
  ['INITIATED', 'PENDING'],
  ['INITIATED', 'CAPTURED'],
  ['INITIATED', 'DECLINED'],
  ['INITIATED', 'VOIDED'],
  ['INITIATED', 'FAILED'],
  ['PENDING', 'CAPTURED'],
  ['PENDING', 'DECLINED'],
  ['PENDING', 'VOIDED'],
  ['PENDING', 'FAILED'],
  ['FAILED', 'CAPTURED'],
  ['FAILED', 'DECLINED'],
  ['FAILED', 'VOIDED'],
  ['DECLINED', 'CAPTURED'],
  ['VOIDED', 'CAPTURED'],
  ['CAPTURED', 'REFUNDED'],
];

const RESTING = [
  'PENDING_PAYMENT',
  'PAYMENT_DONE',
  'PAYMENT_FAILED',
  'ORDER_FAILED',
  'INVALID',
  'ORDER_CANCELLED',
];

/**
 * Waits until nothing moves any more by itself, and then holds the stored state of both services
 * and what the gateway charged against the promises P1, P2, P3, P5 and P6. The doctor, which knows the
 * promises in words of its own, must find nothing either.
 */
export async function expectPromisesAtRest(stack: EmbeddedStack): Promise<void> {
  const snapshot = await eventually(() => expectRest(stack));
  const charges = await chargesByOrder(stack, snapshot.orders);
  expect({
    P1: brokenStock(snapshot),
    P2: brokenCharges(snapshot, charges),
    P3: brokenSales(snapshot),
    P5: held(snapshot),
    P6: brokenHistories(snapshot),
  }).toEqual({ P1: [], P2: [], P3: [], P5: [], P6: [] });
  const { verdicts, summary } = await consultDoctor(stack);
  expect(verdicts.filter(isOfAnOrder)).toEqual([]);
  expect(summary).toMatchObject({
    inMotion: { items: 0, products: [] },
    unasked: { orders: 0 },
  });
}

/** Tests of the Inventory Service by itself reserve for orders that are none, under ids of their own. */
function isOfAnOrder({ disagreement: { check, orderId } }: Verdict): boolean {
  return check !== 'order-missing' || orderId?.startsWith('ord_') === true;
}

/** @throws unless nothing is under way or owed at this moment. */
export async function expectRest(stack: EmbeddedStack): Promise<Snapshot> {
  const [snapshot, all] = await Promise.all([snapshotOf(stack), executions(stack)]);
  expect(unrest(snapshot)).toEqual([]);
  const running = all.filter(({ status }) => status === 'RUNNING');
  const waiting = snapshot.orders.filter(({ status }) => status === 'PENDING_PAYMENT');
  expect(running.map(({ name }) => name).sort()).toEqual(
    waiting.map(({ orderId, run }) => `${orderId}-${String(run)}`).sort(),
  );
  expect(messagesIn(stack, 'CompensationQueue')).toEqual([]);
  return snapshot;
}

async function chargesByOrder(
  stack: EmbeddedStack,
  orders: readonly StoredOrder[],
): Promise<ReadonlyMap<string, readonly Charge[]>> {
  const charges = orders.map(
    async ({ orderId }) => [orderId, await chargesOf(stack, orderId)] as const,
  );
  return new Map(await Promise.all(charges));
}

/** P5 at rest: nothing is under way and nothing is owed. */
function unrest({ orders, payments }: Snapshot): string[] {
  return [
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
      .filter(
        ({ refundOwed, voidOwed, dueAtMs }) => (refundOwed ?? voidOwed ?? dueAtMs) !== undefined,
      )
      .map(({ paymentId }) => `${paymentId} owes a refund or a void`),
  ];
}

/** P1, and that the counters are the sums of what the reservations say. */
function brokenStock({ products, reservations }: Snapshot): string[] {
  const pieces = (productId: string, status: string): number =>
    reservations
      .filter((reservation) => reservation.status === status)
      .flatMap(({ lines = [] }) => lines)
      .filter((line) => line.productId === productId)
      .reduce((sum, { quantity }) => sum + quantity, 0);
  return products
    .filter(({ productId, available, reserved, sold, received }) => {
      const isBalanced = available >= 0 && available + reserved + sold === received;
      const isReserved = reserved === pieces(productId, 'HELD');
      return !isBalanced || !isReserved || sold !== pieces(productId, 'CONFIRMED');
    })
    .map((product) => JSON.stringify(product));
}

/** P2, and that payments and gateway say the same. */
function brokenCharges(
  { orders, payments }: Snapshot,
  charges: ReadonlyMap<string, readonly Charge[]>,
): string[] {
  const twice = orders
    .filter(({ orderId }) => capturedIn(charges.get(orderId) ?? []).length > 1)
    .map(({ orderId }) => `${orderId} is charged more than once`);
  const differing = payments
    .filter(({ orderId, paymentId, status, amount }) => {
      const charge = charges.get(orderId)?.find((candidate) => candidate.paymentId === paymentId);
      const charged = charge?.status === 'CAPTURED' || charge?.status === 'REFUNDED';
      const isMoney = status === 'CAPTURED' || status === 'REFUNDED';
      if (charged !== isMoney) return true;
      return charged && (charge.status !== status || charge.amount.amount !== amount.amount);
    })
    .map(({ paymentId, status }) => `${paymentId} is ${status} and the gateway says otherwise`);
  const unknown = [...charges.values()]
    .flat()
    .filter(({ paymentId }) => payments.every((payment) => payment.paymentId !== paymentId))
    .map(({ paymentId }) => `${paymentId} was charged and is no payment`);
  return [...twice, ...differing, ...unknown];
}

function capturedIn(charges: readonly Charge[]): readonly Charge[] {
  return charges.filter(({ status }) => status === 'CAPTURED');
}

/** P3, both ways. */
function brokenSales({ orders, payments, reservations }: Snapshot): string[] {
  const broken: string[] = [];
  for (const order of orders) {
    const ofOrder = payments.filter(({ orderId }) => orderId === order.orderId);
    const kept = ofOrder.filter(({ status }) => status === 'CAPTURED');
    const sold = reservations.find(
      ({ orderId, status }) => orderId === order.orderId && status === 'CONFIRMED',
    );
    const isRight =
      order.status === 'PAYMENT_DONE'
        ? kept.length === 1 &&
          kept[0]?.paymentId === order.paymentId &&
          kept[0]?.amount.amount === order.total?.amount &&
          sold?.paymentId === order.paymentId
        : kept.length === 0 && sold === undefined;
    if (!isRight) broken.push(`${order.orderId} is ${order.status}: ${JSON.stringify(ofOrder)}`);
    const refunded = ofOrder.filter(({ status }) => status === 'REFUNDED');
    const shown = order.refunds.map(({ paymentId }) => paymentId).sort();
    if (
      refunded
        .map(({ paymentId }) => paymentId)
        .sort()
        .join() !== shown.join()
    ) {
      broken.push(`${order.orderId} shows the refunds ${shown.join()}`);
    }
  }
  return broken;
}

/** P5: an order's stock is held exactly while it waits for its payment; settled payments keep no token. */
function held({ orders, payments, reservations }: Snapshot): string[] {
  const statuses = new Map(orders.map((order) => [order.orderId, order]));
  const stuck = reservations
    .filter(({ orderId, status }) => status === 'HELD' && orderId.startsWith('ord_'))
    .filter(({ orderId, revision }) => {
      const order = statuses.get(orderId);
      return order?.status !== 'PENDING_PAYMENT' || order.heldRevision !== revision;
    })
    .map(({ orderId }) => `the stock of ${orderId} is held for nothing`);
  const empty = orders
    .filter(({ status }) => status === 'PENDING_PAYMENT')
    .filter(({ orderId }) =>
      reservations.every((one) => one.orderId !== orderId || one.status !== 'HELD'),
    )
    .map(({ orderId }) => `${orderId} waits for its payment and holds nothing`);
  const kept = payments
    .filter(({ methodToken }) => methodToken !== undefined)
    .map(({ paymentId }) => `${paymentId} keeps its method's token`);
  return [...stuck, ...empty, ...kept];
}

/** P6: every step is in the table, follows the one before, and says why, when and who. */
function brokenHistories({ orders, payments }: Snapshot): string[] {
  return [
    ...orders.flatMap((order) => brokenSteps(order.orderId, order, ORDER_MOVES)),
    ...payments.flatMap((payment) => brokenSteps(payment.paymentId, payment, PAYMENT_MOVES)),
    ...orders
      .filter(({ history }) => history.some(({ by }) => by === ''))
      .map(({ orderId }) => `${orderId} does not say who`),
  ];
}

function brokenSteps(
  id: string,
  { status, history }: { readonly status: string; readonly history: readonly Change[] },
  moves: readonly (readonly [from: string | null, to: string])[],
): string[] {
  const broken = history.flatMap(({ from, to, reason, at }, index) => {
    const isLegal = moves.some((move) => move[0] === from && move[1] === to);
    const follows = from === (history[index - 1]?.to ?? null);
    const isTold = reason !== '' && new Date(at).toISOString() === at;
    return isLegal && follows && isTold
      ? []
      : [`${id}: ${String(from)} to ${to}, ${reason}, ${at}`];
  });
  return history.at(-1)?.to === status ? broken : [...broken, `${id}: its history ends elsewhere`];
}
