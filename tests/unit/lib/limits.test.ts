import { randomUUID } from 'node:crypto';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { reserveBody } from '../../../lib/inventory/http/reservation-api.ts';
import { inventoryService } from '../../../lib/inventory/inventory-service.ts';
import type { HeldReservation } from '../../../lib/inventory/reservation.ts';
import { reserveProducts } from '../../../lib/inventory/reservation-lifecycle.ts';
import {
  CORRELATION_ID,
  GATEWAY_CODE,
  GATEWAY_ID,
  IDEMPOTENCY_KEY,
  MAX_BODY_BYTES,
  MAX_ID_CHARACTERS,
  MAX_LINES_PER_ORDER,
  MAX_MODIFICATIONS_PER_ORDER,
  MAX_OPEN_ORDER_ENTRIES,
  MAX_PIECES_PER_LINE,
  MAX_PIECES_PER_RECEIPT,
  MAX_RUNS_PER_ORDER,
  MAX_UNIT_PRICE_MINOR,
  MAX_USER_ID_CHARACTERS,
  MOST_OPEN_ORDERS_PER_USER,
  ORDERS_PER_PAGE,
  PRODUCT_ID,
  PRODUCTS_PER_PAGE,
} from '../../../lib/limits.ts';
import { itemsBodySchema } from '../../../lib/orders/http/request-schemas.ts';
import { toOrderDocument } from '../../../lib/orders/http/responses.ts';
import type { OrderLine } from '../../../lib/orders/order.ts';
import { hasBadQuantity, totalOf } from '../../../lib/orders/order-items.ts';
import { OrderRepository } from '../../../lib/orders/order-repository.ts';
import { paymentIdFor } from '../../../lib/orders/payment-id.ts';
import { openOrdersItem } from '../../../lib/orders/stored-open-orders.ts';
import { openOrdersKey } from '../../../lib/orders/stored-order.ts';
import type { Payment } from '../../../lib/payments/payment.ts';
import { readConfig } from '../../../lib/platform/config.ts';
import { deriveId } from '../../../lib/platform/ids.ts';
import type { Runtime } from '../../../lib/platform/lambda/runtime.ts';
import { itemBytes as storedBytes } from '../../../local/dynamodb/item-size.ts';
import { NOW_MS, orderIn, paymentIn, World } from './orders/fakes.ts';
import { REQUIRED } from './platform/environment.ts';

/** Limits of DynamoDB, from its developer guide. */
const DYNAMODB_TRANSACTION_ACTIONS = 100;
const DYNAMODB_BATCH_GET_KEYS = 100;
const DYNAMODB_PARTITION_KEY_BYTES = 2048;
const DYNAMODB_SORT_KEY_BYTES = 1024;
const DYNAMODB_ITEM_BYTES = 400 * 1024;

/** A character of three bytes in UTF-8, the most for one UTF-16 unit. */
const WIDE = '\u20ac';

interface Sent {
  readonly RequestItems?: Readonly<Record<string, { readonly Keys: readonly unknown[] }>>;
  readonly TransactItems?: readonly { readonly Put?: { readonly Item: object } }[];
  readonly Item?: object;
}

let sent: Sent[];
beforeEach(() => {
  sent = [];
});

const config = readConfig(REQUIRED);

/** A runtime whose database records its requests and holds these items. */
function runtimeOver(items: readonly object[] = []): Runtime {
  const documents = {
    send: ({ input }: { readonly input: Sent }) => {
      sent.push(input);
      return Promise.resolve({ Responses: { [config.INVENTORY_TABLE]: items } });
    },
  } as unknown as DynamoDBDocumentClient;
  const clock = { now: () => NOW_MS };
  return { config, clock, random: () => 0, aws: { clients: { documents } } } as unknown as Runtime;
}

const transactions = () => sent.flatMap(({ TransactItems }) => TransactItems ?? []);

/** Distinct product ids of maximum length: of products, or of anything that an order may name. */
function productIds(count: number, prefix: string, fill: 'x' | typeof WIDE): string[] {
  return Array.from({ length: count }, (_none, index) =>
    `${prefix}${String(index)}`.padEnd(
      fill === 'x' ? longest(PRODUCT_ID) : MAX_ID_CHARACTERS,
      fill,
    ),
  );
}

function orderLines(
  count: number,
  prefix: string,
  fill: Parameters<typeof productIds>[2] = 'x',
): Required<OrderLine>[] {
  return productIds(count, prefix, fill).map((productId) => ({
    productId,
    quantity: MAX_PIECES_PER_LINE,
    unitPrice: { amount: MAX_UNIT_PRICE_MINOR, currency: 'EUR' },
  }));
}

/** Replaces all lines of a reservation by others: Inventory's largest write. */
async function exchangeReservation(lines: number): Promise<void> {
  const after = orderLines(lines, 'new');
  const held: HeldReservation = {
    status: 'HELD',
    orderId: deriveId('ord', 'any'),
    correlationId: 'c'.repeat(128),
    revision: 1,
    version: 1,
    lines: orderLines(lines, 'old'),
    heldSinceMs: NOW_MS,
    expiresAtMs: NOW_MS,
  };
  const products = after.map(({ productId, unitPrice }) => ({
    pk: `PRODUCT#${productId}`,
    status: 'ACTIVE',
    productId,
    name: 'Mug',
    description: '',
    unitPrice,
    version: 1,
    createdAs: 'req_1',
    available: MAX_PIECES_PER_LINE,
    reserved: 0,
    sold: 0,
    received: MAX_PIECES_PER_LINE,
  }));
  const runtime = runtimeOver([
    { pk: `RESERVATION#${held.orderId}`, schemaVersion: 2, ...held },
    ...products,
  ]);
  const wish = { ...held, revision: 2, holdSeconds: 900, lines: after };
  await reserveProducts(inventoryService(runtime), wish);
}

describe("the Inventory Service's largest transaction", () => {
  test('stays within the actions of one transaction and the keys of one read', async () => {
    await exchangeReservation(MAX_LINES_PER_ORDER);
    // One update of each removed or added product, and the reservation.
    expect(transactions()).toHaveLength(2 * MAX_LINES_PER_ORDER + 1);
    expect(transactions().length).toBeLessThanOrEqual(DYNAMODB_TRANSACTION_ACTIONS);
    const keys = sent.flatMap(
      ({ RequestItems = {} }) => Object.values(RequestItems)[0]?.Keys ?? [],
    );
    expect(keys.length).toBeGreaterThan(MAX_LINES_PER_ORDER);
    expect(keys.length).toBeLessThanOrEqual(DYNAMODB_BATCH_GET_KEYS);
  });

  test.each([50, 200])('would not with %i lines an order', async (lines) => {
    await exchangeReservation(lines);
    expect(transactions().length).toBeGreaterThan(DYNAMODB_TRANSACTION_ACTIONS);
  });

  test('writes a reservation far smaller than an item may be', async () => {
    await exchangeReservation(MAX_LINES_PER_ORDER);
    const [reservation] = transactions();
    expect(itemBytes(reservation?.Put?.Item)).toBeGreaterThan(MAX_LINES_PER_ORDER * 100);
    expect(itemBytes(reservation?.Put?.Item)).toBeLessThan(DYNAMODB_ITEM_BYTES / 10);
  });
});

test('the Order Service writes order and payment without a transaction', async () => {
  const previous = orderIn('PAYMENT_IN_PROGRESS');
  const next = { ...previous, payments: [paymentIn('CAPTURED')] as const };
  await new OrderRepository(runtimeOver()).save(next, previous);
  expect([sent.length, transactions().length]).toEqual([1, 0]);
});

test('an order of one line is written in one write unit, paid too', async () => {
  const userId = randomUUID();
  const orderId = deriveId('ord', userId);
  const steps = [
    [null, 'CREATED', 'ORDER_PLACED', 'user'],
    ['CREATED', 'PENDING_RESERVING_STOCK', 'SAGA_STARTED', 'ordersaga'],
    ['PENDING_RESERVING_STOCK', 'PENDING_PAYMENT', 'STOCK_RESERVED', 'ordersaga'],
    ['PENDING_PAYMENT', 'PAYMENT_IN_PROGRESS', 'PAYMENT_STARTED', 'user'],
    ['PAYMENT_IN_PROGRESS', 'PAYMENT_DONE', 'PAYMENT_CONFIRMED', 'ordersaga'],
  ] as const;
  const at = '2026-03-01T12:00:00.000Z';
  const order = orderIn('PAYMENT_DONE', {
    orderId,
    userId,
    correlationId: randomUUID(),
    placedAs: deriveId('items', ''),
    history: steps.map(([from, to, reason, by]) => ({ from, to, reason, at, by })),
    payments: [
      paymentIn('CAPTURED', {
        paymentId: paymentIdFor(orderId, ''),
        history: [
          { from: null, to: 'INITIATED', reason: 'PAYMENT_STARTED', at },
          { from: 'INITIATED', to: 'CAPTURED', reason: 'GATEWAY_CAPTURED', at },
        ],
      }),
    ],
  });
  await new OrderRepository(runtimeOver()).save(order, order);
  const item = marshall({ ...sent[0]?.Item }, { removeUndefinedValues: true });
  expect(storedBytes(item)).toBeLessThanOrEqual(1024);
});

describe('an order that has had all its changes and runs', () => {
  const userId = WIDE.repeat(MAX_USER_ID_CHARACTERS);
  const reason = 'R'.repeat(64);
  const at = '2026-03-01T12:00:00.000Z';
  // A run passes five states, two of them by the user. A modification adds three, and the new payment one;
  // the user makes two of these.
  const entry = { from: 'PENDING_RESERVING_STOCK', to: 'PENDING_RESERVING_STOCK', reason, at };
  const byUser = 2 * MAX_RUNS_PER_ORDER + 2 * MAX_MODIFICATIONS_PER_ORDER;
  const bySystem = 3 * MAX_RUNS_PER_ORDER + 2 * MAX_MODIFICATIONS_PER_ORDER;
  const items = orderLines(MAX_LINES_PER_ORDER, 'new', WIDE);
  // Each payment follows a run or a modification. At worst it was unknown, given up, and captured all the same.
  const payments = Array.from(
    { length: MAX_RUNS_PER_ORDER + MAX_MODIFICATIONS_PER_ORDER },
    (_none, index) =>
      paymentIn('REFUNDED', {
        paymentId: `pay_${String(index)}`.padEnd(57, '0'),
        amount: { amount: Number.MAX_SAFE_INTEGER, currency: 'EUR' },
        code: reason,
        history: Array.from({ length: 6 }, () => ({
          from: 'INITIATED',
          to: 'REFUNDED',
          reason,
          at,
        })),
      }),
  );
  const order = orderIn('PAYMENT_IN_PROGRESS', {
    userId,
    items,
    modification: { status: 'REJECTED', items, code: reason },
    payments: payments as [Payment, ...Payment[]],
    history: [
      ...Array.from({ length: byUser }, () => ({ ...entry, by: 'user' })),
      ...Array.from({ length: bySystem }, () => ({ ...entry, by: 'ordersaga' })),
    ] as never,
  });

  test('is stored in an item of half the size that DynamoDB allows', async () => {
    const runtime = runtimeOver();
    await new OrderRepository(runtime).save(order, order);
    const bytes = itemBytes(sent[0]?.Item);
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThan(DYNAMODB_ITEM_BYTES / 2);
  });

  test('is answered in a body that an idempotency record can keep', () => {
    const body = JSON.stringify(toOrderDocument(new World(order).service, order));
    expect(Buffer.byteLength(body)).toBeLessThan((DYNAMODB_ITEM_BYTES * 2) / 3);
  });

  test('has a total that is an exact number', () => {
    expect(Number.isSafeInteger(totalOf(items)?.amount)).toBe(true);
    expect(Number.isSafeInteger(MAX_PIECES_PER_RECEIPT * MAX_RUNS_PER_ORDER)).toBe(true);
  });
});

describe('a key', () => {
  const id = WIDE.repeat(MAX_ID_CHARACTERS);

  test.each([
    ['of an order', `ORDER#${id}`],
    ['of a product', `PRODUCT#${id}`],
    ['of a reservation', `RESERVATION#${id}`],
    ["of a user's orders", WIDE.repeat(MAX_USER_ID_CHARACTERS)],
    ["of a user's open orders", openOrdersKey(WIDE.repeat(MAX_USER_ID_CHARACTERS)).pk],
  ])('%s fits', (_name, key) => {
    expect(Buffer.byteLength(key)).toBeLessThanOrEqual(DYNAMODB_PARTITION_KEY_BYTES);
  });

  test("of an order's place among its user's orders fits", () => {
    const place = `${String(NOW_MS).padStart(15, '0')}#${id}`;
    expect(Buffer.byteLength(place)).toBeLessThanOrEqual(DYNAMODB_SORT_KEY_BYTES);
  });
});

describe("a user's open orders", () => {
  const entries = (count: number) =>
    Array.from({ length: count }, (_none, index) => ({
      itemsKey: deriveId('items', 'all the same'),
      orderId: deriveId('ord', String(index)),
      atMs: NOW_MS,
      version: 1,
    }));
  const bytesOf = (count: number) =>
    itemBytes(openOrdersItem('u'.repeat(36), entries(count), { version: 1, entries: [] }));

  test('fit into one write unit in daily life, and into a small item in any case', () => {
    expect(bytesOf(5)).toBeLessThan(1024);
    expect(bytesOf(MAX_OPEN_ORDER_ENTRIES)).toBeLessThan(DYNAMODB_ITEM_BYTES / 20);
  });

  test('are read at once, with the order that is placed', () => {
    expect(MAX_OPEN_ORDER_ENTRIES + 1).toBeLessThanOrEqual(DYNAMODB_BATCH_GET_KEYS);
  });

  test('have room for every open order while all are modified', () => {
    expect(2 * MOST_OPEN_ORDERS_PER_USER).toBeLessThan(MAX_OPEN_ORDER_ENTRIES);
  });
});

test('a page and the entry that tells whether there is another are read at once', () => {
  for (const { max } of [ORDERS_PER_PAGE, PRODUCTS_PER_PAGE]) {
    expect(max).toBeLessThanOrEqual(DYNAMODB_BATCH_GET_KEYS);
  }
});

describe('Inventory takes every order that the Order Service takes', () => {
  const largest = orderLines(MAX_LINES_PER_ORDER, 'p', WIDE).map(({ productId, quantity }) => ({
    productId,
    quantity,
  }));
  const both = (items: unknown) => [
    itemsBodySchema.safeParse({ items }).success,
    reserveBody.schema.safeParse({ revision: 1, holdSeconds: 900, items }).success,
  ];

  test('of all its lines, each of all its pieces', () => {
    expect(both(largest)).toEqual([true, true]);
    expect(hasBadQuantity(largest)).toBe(false);
    expect(Buffer.byteLength(JSON.stringify({ items: largest }))).toBeLessThan(MAX_BODY_BYTES);
  });

  test('and no longer one', () => {
    expect(both([...largest, { productId: 'one-more', quantity: 1 }])).toEqual([false, false]);
  });

  test('and no larger quantity', () => {
    const items = [{ productId: 'mug', quantity: MAX_PIECES_PER_LINE + 1 }];
    expect(hasBadQuantity(items)).toBe(true);
    expect(both(items)[1]).toBe(false);
  });
});

test('patterns refuse what has no end', () => {
  expect([IDEMPOTENCY_KEY, CORRELATION_ID, GATEWAY_ID, GATEWAY_CODE].map(longest)).toEqual([
    255, 128, 255, 64,
  ]);
});

/** Length of the longest run of one letter that a pattern matches. */
function longest(pattern: RegExp): number {
  const lengths = Array.from({ length: 1000 }, (_none, index) => index);
  return (
    lengths.findLast((length) =>
      ['A', 'a'].some((letter) => pattern.test(letter.repeat(length))),
    ) ?? 0
  );
}

/** Size of an item as DynamoDB counts it: names and texts in UTF-8, plus a cost per value. */
function itemBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return 21;
  if (Array.isArray(value)) {
    return value.reduce((sum: number, member: unknown) => sum + 1 + itemBytes(member), 3);
  }
  if (typeof value !== 'object' || value === null) return 1;
  return Object.entries(value).reduce(
    (sum, [name, member]) => sum + 1 + Buffer.byteLength(name) + itemBytes(member),
    3,
  );
}
