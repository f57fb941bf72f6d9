import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import type { Order } from '../../../../lib/orders/order.ts';
import { OrderRepository } from '../../../../lib/orders/order-repository.ts';
import { methodToken } from '../../../../lib/orders/stored-method.ts';
import { putOf, toOrder } from '../../../../lib/orders/stored-order.ts';
import type { Payment } from '../../../../lib/payments/payment.ts';
import { MalformedItem, UnknownSchemaVersion } from '../../../../lib/platform/dynamo/items.ts';
import { ImpossibleState } from '../../../../lib/platform/errors.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';
import { NOW_MS, orderIn, paymentIn } from './fakes.ts';

type Item = Readonly<Record<string, unknown>>;

const toItem = (order: Order): Item => putOf('orders', order, undefined).Item;

/** The order as it is read: its place in the outbox's index is that of its item. */
const asRead = (order: Order): Order => {
  const { dueKeyMs } = toItem(order);
  return dueKeyMs === undefined ? order : { ...order, dueKeyMs: Number(dueKeyMs) };
};

const RESERVED = { revision: 3, expiresAtMs: NOW_MS, lines: [] };
const OWED = { releaseOwed: { revision: 3 }, dueAtMs: NOW_MS };

const ORDERS: readonly Order[] = [
  orderIn('CREATED', { lastRequest: 'req_1' }),
  orderIn('PENDING_RESERVING_STOCK', { outage: { sinceMs: 1, notBeforeMs: 2 } }),
  orderIn('PENDING_RESERVING_STOCK', { purpose: 'MODIFICATION' }),
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
  paymentIn('CAPTURED', { refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS } }),
  paymentIn('DECLINED'),
  paymentIn('VOIDED'),
  paymentIn('REFUNDED'),
  paymentIn('FAILED'),
  paymentIn('FAILED', { voidOwed: { dueAtMs: NOW_MS } }),
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
  return {
    orders: new OrderRepository(runtime),
    sent,
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

const step = (changes: object) => ({ to: 'CREATED', reason: 'TEST', by: 'user', ...changes });

describe('an order', () => {
  test.each(ORDERS)('in $status is read as it was written', (order) => {
    const item = toItem(order);
    expect(item['schemaVersion']).toBe(3);
    expect(toOrder(item)).toEqual(asRead(order));
  });

  test('leaves out of its item what keys and neighbours say', () => {
    const at = (ms: number) => new Date(NOW_MS + ms).toISOString();
    const payment = paymentIn('CAPTURED', {
      createdAtMs: NOW_MS + 1,
      history: [
        { from: null, to: 'INITIATED', reason: 'PAYMENT_STARTED', at: at(1) },
        { from: 'INITIATED', to: 'CAPTURED', reason: 'CAPTURED', at: at(2) },
      ],
    });
    const order = orderIn('CREATED', {
      payments: [payment, { ...payment, paymentId: 'pay_2', attempt: 2 }],
      history: [
        { from: null, to: 'CREATED', reason: 'PLACED', at: at(0), by: 'user' },
        { from: 'CREATED', to: 'ORDER_FAILED', reason: 'FAILED', at: at(3), by: 'ordersaga' },
        { from: 'ORDER_FAILED', to: 'CREATED', reason: 'RETRIED', at: at(4), by: 'user' },
      ],
    });
    const item = toItem(order);
    expect(item).not.toHaveProperty('orderId');
    expect(item).not.toHaveProperty('userId');
    expect(item).toMatchObject({ pk: 'ORDER#ord_1', ownerId: 'alice' });
    expect(item['history']).toEqual([
      { to: 'CREATED', reason: 'PLACED', atMs: NOW_MS, by: 'user' },
      { to: 'ORDER_FAILED', reason: 'FAILED', atMs: NOW_MS + 3, by: 'ordersaga' },
      { to: 'CREATED', reason: 'RETRIED', atMs: NOW_MS + 4, by: 'user' },
    ]);
    const stored = {
      revision: 3,
      amount: { amount: 2598, currency: 'EUR' },
      status: 'CAPTURED',
      history: [
        { to: 'INITIATED', reason: 'PAYMENT_STARTED', atMs: NOW_MS + 1 },
        { to: 'CAPTURED', reason: 'CAPTURED', atMs: NOW_MS + 2 },
      ],
    };
    expect(item['payments']).toEqual([
      { paymentId: 'pay_1', ...stored },
      { paymentId: 'pay_2', ...stored },
    ]);
    expect(toOrder(item)).toEqual(asRead(order));
    // As text too: a body that is read later is the one that was answered first.
    expect(JSON.stringify(toOrder(item).history)).toBe(JSON.stringify(order.history));
  });

  test('keeps an attribute that this version does not know', () => {
    const item = { ...toItem(orderIn('CREATED')), tomorrow: 1 };
    expect(toOrder(item)).toEqual({ ...asRead(orderIn('CREATED')), tomorrow: 1 });
  });

  test.each([
    [1, 'version 1'],
    // Items of the first version have none.
    [undefined, 'version 1'],
    [2, 'version 2'],
    [4, 'version 4'],
  ])('of version %j is refused by name', (schemaVersion, said) => {
    const error = thrownBy(() => toOrder({ ...toItem(orderIn('CREATED')), schemaVersion }));
    expect(error).toBeInstanceOf(UnknownSchemaVersion);
    expect(error.message).toBe(`ORDER#ord_1 has schema ${said}; this code reads version 3.`);
  });

  test.each([
    ['a status that is not known', { status: 'SHIPPED' }, 'status'],
    ['no status', { status: undefined }, 'status'],
    ['no due time', { dueAtMs: undefined }, 'dueAtMs'],
    ['a total in no currency', { total: { amount: 1 } }, 'total.currency'],
    ['a history of other statuses', { history: [{ to: 'X' }] }, 'history.0.to'],
    ['a step at no time', { history: [step({ atMs: 'noon' })] }, 'history.0.at'],
    ['a step at an impossible time', { history: [step({ atMs: 1e16 })] }, 'history.0.at'],
    ['a step that is none', { history: [null] }, 'history.0.to'],
    ['a history that is none', { history: 'none' }, 'history'],
    ['payments that are none', { payments: 'none' }, 'payments'],
    ['a payment that is none', { payments: [null] }, 'payments.0.status'],
    ['no user, and no items', { ownerId: 1, items: 2 }, 'userId, items'],
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
});

test('a payment method that is malformed never shows its token', () => {
  const item = { pk: 'METHOD#met_1', schemaVersion: 1, token: ['secret-token'] };
  const error = thrownBy(() => methodToken(item));
  expect(error).toBeInstanceOf(MalformedItem);
  expect(error.message).toBe('METHOD#met_1 is malformed at token.');
  expect(JSON.stringify([error, error.cause, error.stack])).not.toContain('secret-token');
});

describe('what cannot be read hides nothing else', () => {
  const good = toItem(orderIn('CREATED', { orderId: 'ord_2' }));
  const bad = { ...toItem(orderIn('CREATED')), items: 2 };
  const impossible = {
    ...toItem(orderIn('PAYMENT_DONE', { orderId: 'ord_4' })),
    payments: [paymentIn('VOIDED')],
  };

  test('a list of orders goes on without it', async () => {
    const { orders } = answering({ Responses: { orders: [bad, good, impossible] } });
    const read = await orders.getOrders(['ord_1', 'ord_2', 'ord_4']);
    expect(read.map(({ orderId }) => orderId)).toEqual(['ord_2']);
  });

  test('it is still found to be due', async () => {
    const due = { pk: 'ORDER#ord_1', dueKeyMs: NOW_MS, correlationId: 1 };
    const good = { pk: 'ORDER#ord_3', dueKeyMs: NOW_MS, correlationId: 'c' };
    const { orders } = answering({ Items: [due, good] });
    const candidates: unknown[] = [];
    for await (const page of orders.dueCandidates(0, NOW_MS)) candidates.push(...page);
    expect(candidates).toEqual([
      { orderId: 'ord_1', correlationId: '', dueKeyMs: NOW_MS },
      { orderId: 'ord_3', correlationId: 'c', dueKeyMs: NOW_MS },
    ]);
  });
});

describe('a payment', () => {
  test.each(PAYMENTS)('in $status is read as it was written', (payment) => {
    const order = orderIn('PAYMENT_FAILED', { payments: [payment] });
    expect(toOrder(toItem(order)).payments).toEqual([payment]);
  });

  test('that is malformed is named by its place, and never shows its method', () => {
    const payment = { ...paymentIn('INITIATED'), amount: 'all' } as unknown as Payment;
    const item = toItem(orderIn('PAYMENT_IN_PROGRESS', { payments: [payment] }));
    expect(() => toOrder(item)).toThrow('ORDER#ord_1 is malformed at payments.0.amount.');
    const owed = { ...paymentIn('FAILED'), voidOwed: true } as unknown as Payment;
    const owing = toItem(orderIn('PAYMENT_FAILED', { payments: [owed] }));
    expect(() => toOrder(owing)).toThrow('ORDER#ord_1 is malformed at payments.0.voidOwed,');
  });

  test.each(['PAYMENT_IN_PROGRESS', 'PAYMENT_DONE', 'PAYMENT_FAILED'] as const)(
    'is in every order that is %s',
    (status) => {
      const item = { ...toItem(orderIn(status)), payments: [] };
      expect(() => toOrder(item)).toThrow(MalformedItem);
    },
  );
});

describe('paid means yours', () => {
  const PAID = [
    ['captured', paymentIn('CAPTURED'), true],
    [
      'captured, its refund owed',
      paymentIn('CAPTURED', { refundOwed: { reason: 'TEST', dueAtMs: NOW_MS } }),
      false,
    ],
    ['refunded', paymentIn('REFUNDED'), false],
    ['open', paymentIn('PENDING'), false],
  ] as const;

  test.each(PAID)(
    'with a payment that is %s, before the write and after the read',
    (_what, payment, is) => {
      const order = orderIn('PAYMENT_DONE', { payments: [payment] });
      const item = { ...toItem(orderIn('PAYMENT_DONE')), payments: [payment] };
      if (is) {
        expect(toOrder(toItem(order))).toEqual(order);
        return;
      }
      expect(thrownBy(() => toItem(order))).toBeInstanceOf(ImpossibleState);
      expect(thrownBy(() => toOrder(item))).toBeInstanceOf(ImpossibleState);
    },
  );

  test('counts for the current payment only', () => {
    const refunded = paymentIn('REFUNDED');
    const kept = paymentIn('CAPTURED', { paymentId: 'pay_2' });
    expect(toItem(orderIn('PAYMENT_DONE', { payments: [refunded, kept] }))).toBeDefined();
    const given = orderIn('PAYMENT_DONE', { payments: [kept, refunded] });
    expect(thrownBy(() => toItem(given))).toBeInstanceOf(ImpossibleState);
  });
});

describe('the place in the outbox', () => {
  const owing = (dueAtMs: number) => paymentIn('FAILED', { voidOwed: { dueAtMs } });

  test.each<[string, Order, number | undefined]>([
    ['of an order that owes nothing', orderIn('PAYMENT_DONE'), undefined],
    ['of a new one is its time', orderIn('CREATED', { dueAtMs: 7 }), 7],
    ['stays where it is too early', orderIn('CREATED', { dueAtMs: 7, dueKeyMs: 5 }), 5],
    ['moves where it is too late', orderIn('CREATED', { dueAtMs: 7, dueKeyMs: 9 }), 7],
    [
      'is that of the earliest debt of all payments',
      orderIn('CREATED', { dueAtMs: 7, payments: [owing(8), owing(6)] }),
      6,
    ],
    ['of a debt of an order at rest', orderIn('ORDER_FAILED', { payments: [owing(8)] }), 8],
    ['goes with the last debt', orderIn('ORDER_FAILED', { dueKeyMs: 5 }), undefined],
  ])('%s', (_what, order, expected) => {
    const item = toItem(order);
    expect(item['dueKeyMs']).toBe(expected);
    expect('dueShard' in item).toBe(expected !== undefined);
  });

  test('is corrected without a new version, if nobody has written the order since', async () => {
    const { orders, sent } = tableOf({});
    await orders.correctDueKey(orderIn('CREATED', { dueAtMs: 7, dueKeyMs: 5 }));
    expect(sent).toEqual([
      {
        TableName: 'orders',
        Key: { pk: 'ORDER#ord_1' },
        UpdateExpression: 'SET dueKeyMs = :dueKeyMs',
        ConditionExpression: '#status = :statusAsRead AND #counter = :counterAsRead',
        ExpressionAttributeNames: { '#status': 'status', '#counter': 'writes' },
        ExpressionAttributeValues: {
          ':statusAsRead': 'CREATED',
          ':counterAsRead': 17,
          ':dueKeyMs': 7,
        },
      },
    ]);
  });
});
