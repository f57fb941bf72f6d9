import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import type { Order } from '../../../../lib/orders/order.ts';
import { OrderRepository } from '../../../../lib/orders/order-repository.ts';
import { putOf, toOrder } from '../../../../lib/orders/stored-order.ts';
import type { Payment } from '../../../../lib/payments/payment.ts';
import { PaymentRepository } from '../../../../lib/payments/payment-repository.ts';
import { MalformedItem, UnknownSchemaVersion } from '../../../../lib/platform/dynamo/items.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';
import { NOW_MS, orderIn, paymentIn } from './fakes.ts';

type Item = Readonly<Record<string, unknown>>;

const toItem = (order: Order): Item => putOf('orders', order, undefined).Item;

const RESERVED = { revision: 3, expiresAtMs: NOW_MS, lines: [] };
const OWED = { releaseOwed: { revision: 3 }, dueAtMs: NOW_MS };

const ORDERS: readonly Order[] = [
  orderIn('CREATED', { lastRequest: 'req_1' }),
  orderIn('PENDING_RESERVING_STOCK', { outage: { sinceMs: 1, notBeforeMs: 2 } }),
  orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION', waitToken: 'w' }),
  orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION', adopted: RESERVED }),
  orderIn('PENDING_RESERVING_STOCK', { purpose: 'PAYMENT_RETRY' }),
  orderIn('PENDING_PAYMENT'),
  orderIn('PAYMENT_IN_PROGRESS', { modification: { status: 'PENDING', items: [] } }),
  orderIn('PAYMENT_DONE'),
  orderIn('PAYMENT_FAILED'),
  orderIn('PAYMENT_FAILED', OWED),
  orderIn('ORDER_FAILED', OWED),
  orderIn('INVALID', { items: [{ productId: 'mug', quantity: -1 }] }),
  orderIn('ORDER_CANCELLED', OWED),
];

const PAYMENTS: readonly Payment[] = [
  paymentIn('INITIATED'),
  paymentIn('PENDING'),
  paymentIn('CAPTURED'),
  paymentIn('CAPTURED', { refundOwed: { reason: 'LATE_CAPTURE' }, dueAtMs: NOW_MS }),
  paymentIn('DECLINED'),
  paymentIn('VOIDED'),
  paymentIn('REFUNDED'),
  paymentIn('FAILED'),
  paymentIn('FAILED', { voidOwed: true, dueAtMs: NOW_MS }),
];

interface Sent {
  readonly Item?: Item;
  readonly TransactItems?: readonly { readonly Put: { readonly Item: Item } }[];
}

/** Repositories over a table that answers every read with one item, and keeps the last write. */
function tableOf(item: Item) {
  return answering({ Item: item });
}

function answering(output: object) {
  const sent: Sent[] = [];
  const documents = {
    send: ({ input }: { readonly input: Sent }) => {
      sent.push(input);
      return Promise.resolve(output);
    },
  } as unknown as DynamoDBDocumentClient;
  const config = {
    ORDERS_TABLE: 'orders',
    INVENTORY_TABLE: 'inventory',
  };
  const clock = { now: () => NOW_MS };
  const runtime = { config, clock, aws: { clients: { documents } } } as unknown as Runtime;
  const payments = new PaymentRepository(runtime);
  return {
    payments,
    orders: new OrderRepository(runtime, payments),
    written: () => sent.at(-1)?.Item ?? {},
    writtenTogether: () => (sent.at(-1)?.TransactItems ?? []).map(({ Put }) => Put.Item),
  };
}

function thrownBy(read: () => unknown): Error {
  try {
    read();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown.');
}

describe('an order', () => {
  test.each(ORDERS)('in $status is read as it was written', (order) => {
    const item = toItem(order);
    expect(item['schemaVersion']).toBe(1);
    expect(toOrder(item)).toEqual(order);
  });

  test.each(ORDERS)('in $status that was written without a version is read, too', (order) => {
    const { schemaVersion: _schemaVersion, ...item } = toItem(order);
    expect(toOrder(item)).toEqual(order);
  });

  test('keeps an attribute that this version does not know', () => {
    const item = { ...toItem(orderIn('CREATED')), tomorrow: 1 };
    expect(toOrder(item)).toEqual({ ...orderIn('CREATED'), tomorrow: 1 });
  });

  test('of a newer version is refused by name', () => {
    const error = thrownBy(() => toOrder({ ...toItem(orderIn('CREATED')), schemaVersion: 2 }));
    expect(error).toBeInstanceOf(UnknownSchemaVersion);
    expect(error.message).toBe(
      'ORDER#ord_1 has schema version 2; this code reads versions up to 1.',
    );
  });

  test.each([
    ['a status that is not known', { status: 'SHIPPED' }, 'status'],
    ['no status', { status: undefined }, 'status'],
    ['no due time', { dueAtMs: undefined }, 'dueAtMs'],
    ['a total in no currency', { total: { amount: 1 } }, 'total.currency'],
    ['a history of other statuses', { history: [{ from: null, to: 'X' }] }, 'history.0.to'],
    ['no order id, and no items', { orderId: 1, items: 2 }, 'orderId, items'],
  ])('with %s names its key and its field', (_what, changes, fields) => {
    const error = thrownBy(() => toOrder({ ...toItem(orderIn('PENDING_PAYMENT')), ...changes }));
    expect(error).toBeInstanceOf(MalformedItem);
    expect(error.message).toContain(`ORDER#ord_1 is malformed at ${fields}`);
  });

  test.each([
    { releaseOwed: { revision: 3 }, dueAtMs: undefined },
    { releaseOwed: undefined, dueAtMs: NOW_MS },
  ])('at rest with %j is malformed: a release is owed and due, or neither', (changes) => {
    const item = { ...toItem(orderIn('ORDER_FAILED', OWED)), ...changes };
    const kept = Object.entries(item).filter(([, value]) => value !== undefined);
    expect(() => toOrder(Object.fromEntries(kept))).toThrow(MalformedItem);
  });

  test('that is malformed never shows a token', () => {
    const item = { ...toItem(orderIn('PENDING_PAYMENT')), waitToken: ['secret-token'] };
    const error = thrownBy(() => toOrder(item));
    expect(error.message).toBe('ORDER#ord_1 is malformed at waitToken.');
    expect(JSON.stringify([error, error.cause, error.stack])).not.toContain('secret-token');
  });
});

describe('what cannot be read hides nothing else', () => {
  const good = toItem(orderIn('CREATED', { orderId: 'ord_2' }));
  const bad = { ...toItem(orderIn('CREATED')), items: 2 };

  test('a list of orders goes on without it', async () => {
    const { orders } = answering({ Responses: { orders: [bad, good] } });
    const read = await orders.getOrders(['ord_1', 'ord_2']);
    expect(read.map(({ orderId }) => orderId)).toEqual(['ord_2']);
  });

  test('it is still found to be due', async () => {
    const due = { pk: 'ORDER#ord_1', dueAtMs: NOW_MS, orderId: 1 };
    const payment = { pk: 'PAYMENT#pay_1', dueAtMs: NOW_MS, orderId: 'ord_3', correlationId: 'c' };
    const { orders } = answering({ Items: [due, payment] });
    const candidates: unknown[] = [];
    for await (const page of orders.dueCandidates(0, NOW_MS)) candidates.push(...page);
    expect(candidates).toEqual([
      { kind: 'ORDER', id: 'ord_1', orderId: 'ord_1', correlationId: '', dueAtMs: NOW_MS },
      { kind: 'PAYMENT', id: 'pay_1', orderId: 'ord_3', correlationId: 'c', dueAtMs: NOW_MS },
    ]);
  });
});

describe('a payment', () => {
  test.each(PAYMENTS)('in $status is read as it was written', async (payment) => {
    const item = tableOf({}).payments.putOf(payment, undefined).Item;
    expect(item.schemaVersion).toBe(1);
    expect(await tableOf(item).payments.getPayment('pay_1')).toEqual(payment);
  });

  test('with a void that is not due is malformed, and never shows its method', async () => {
    const payment = { ...paymentIn('INITIATED'), amount: 'all', methodToken: 'tok_secret' };
    const read = tableOf({ pk: 'PAYMENT#pay_1', ...payment }).payments.getPayment('pay_1');
    await expect(read).rejects.toThrow('PAYMENT#pay_1 is malformed at amount.');
    const owed = tableOf({ pk: 'PAYMENT#pay_1', ...paymentIn('FAILED'), voidOwed: true });
    await expect(owed.payments.getPayment('pay_1')).rejects.toBeInstanceOf(MalformedItem);
  });
});
