import { describe, expect, test } from 'vitest';
import { brokenHistory } from '../../torture/histories/check-history.ts';
import type { Answer, Call, Document } from '../../torture/histories/history.ts';
import { outcomeOf } from '../../torture/histories/history.ts';
import type { Snapshot, StoredOrder, StoredPayment } from '../../torture/world/snapshot.ts';

/** A small correct history, by hand: one order that is placed, changed, read and paid. */

const EUR = (amount: number) => ({ amount, currency: 'EUR' });
const time = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const ONE = [{ productId: 'prod-a', quantity: 1 }];
const TWO = [{ productId: 'prod-a', quantity: 2 }];

const PAID: StoredOrder = {
  orderId: 'ord_1',
  userId: 'alice',
  status: 'PAYMENT_DONE',
  createdAtMs: Date.parse(time(1)),
  version: 6,
  revision: 2,
  run: 1,
  attempt: 1,
  items: [{ productId: 'prod-a', quantity: 2, unitPrice: EUR(100) }],
  total: EUR(200),
  modifications: 1,
  modification: { status: 'APPLIED', items: TWO },
  paymentId: 'pay_1',
  history: [
    { from: null, to: 'CREATED', reason: 'ORDER_PLACED', at: time(1), by: 'user' },
    {
      from: 'CREATED',
      to: 'PENDING_RESERVING_STOCK',
      reason: 'SAGA_STARTED',
      at: time(1),
      by: 'ordersaga',
    },
    {
      from: 'PENDING_RESERVING_STOCK',
      to: 'PENDING_PAYMENT',
      reason: 'STOCK_RESERVED',
      at: time(1),
      by: 'ordersaga',
    },
    {
      from: 'PENDING_PAYMENT',
      to: 'PAYMENT_IN_PROGRESS',
      reason: 'PAYMENT_STARTED',
      at: time(4),
      by: 'user',
    },
    {
      from: 'PAYMENT_IN_PROGRESS',
      to: 'PAYMENT_DONE',
      reason: 'PAYMENT_CONFIRMED',
      at: time(5),
      by: 'ordersaga',
    },
  ],
};

const PAYMENT: StoredPayment = {
  paymentId: 'pay_1',
  orderId: 'ord_1',
  userId: 'alice',
  status: 'CAPTURED',
  revision: 2,
  amount: EUR(200),
  history: [
    { from: null, to: 'INITIATED', reason: 'PAYMENT_STARTED', at: time(4) },
    { from: 'INITIATED', to: 'CAPTURED', reason: 'CAPTURED', at: time(5) },
  ],
};

const STORED: Snapshot = {
  orders: [PAID],
  openOrders: [],
  openTasks: 0,
  waits: [],
  payments: [PAYMENT],
  methods: [],
  products: [
    {
      productId: 'prod-a',
      status: 'ACTIVE',
      unitPrice: EUR(150),
      available: 6,
      reserved: 0,
      sold: 2,
      received: 8,
    },
  ],
  reservations: [],
  charges: new Map([
    [
      'ord_1',
      [
        {
          chargeId: 'ch_1',
          paymentId: 'pay_1',
          orderId: 'ord_1',
          status: 'CAPTURED',
          amount: EUR(200),
          answerLost: false,
        },
      ],
    ],
  ]),
  executions: [],
  queues: {},
};

function answered(status: number, body: Document, isReplayed = false): Answer {
  return { status, body, isReplayed, isForNow: false };
}

/** A call; by default, calls follow one another, one second each. */
function call(
  step: number,
  kind: Call['kind'],
  [method, path]: readonly [string, string],
  answer: Answer | undefined,
  more: Partial<Call> = {},
): Call {
  return {
    operation: step,
    user: 'alice',
    kind,
    method,
    path,
    headers: { 'idempotency-key': `alice-${String(step)}` },
    body: undefined,
    invokedAtMs: Date.parse(time(step)),
    endedAtMs: Date.parse(time(step)) + 500,
    invokedStep: 2 * step,
    endedStep: 2 * step + 1,
    outcome: answer === undefined ? 'unknown' : outcomeOf(answer.status),
    answer,
    ...more,
  };
}

const shown = (steps: number, version: number): Document => ({
  orderId: 'ord_1',
  status: PAID.history[steps - 1]!.to,
  version,
  history: PAID.history.slice(0, steps),
});

const PLACE = call(1, 'place', ['POST', '/order'], answered(202, shown(1, 1)), {
  body: { items: ONE },
});
const READ = call(2, 'get', ['GET', '/order/ord_1'], answered(200, shown(3, 3)), { headers: {} });
const MODIFY = call(3, 'modify', ['PUT', '/order/ord_1'], answered(202, { orderId: 'ord_1' }), {
  body: { items: TWO },
});
const PAY = call(
  4,
  'pay',
  ['POST', '/payment'],
  answered(200, { orderId: 'ord_1', paymentId: 'pay_1', amount: EUR(200) }),
  {
    body: { orderId: 'ord_1' },
  },
);
const RECEIVE = call(5, 'receive', ['POST', '/product/prod-a/stock'], answered(200, {}), {
  user: 'manager',
  body: { quantity: 3 },
});
const PRICE = call(6, 'price', ['PUT', '/product/prod-a'], answered(200, {}), {
  user: 'manager',
  body: { unitPrice: EUR(150) },
});
const CALLS = [PLACE, READ, MODIFY, PAY, RECEIVE, PRICE];

const recorded = (calls: readonly Call[]) => ({
  calls,
  products: [{ productId: 'prod-a', unitPrice: EUR(100), stock: 5 }],
  duplicateWindowMs: 600_000,
});

const without = (left: Call) => CALLS.filter((one) => one !== left);
const replaced = (former: Call, next: Partial<Call>) =>
  CALLS.map((one) => (one === former ? { ...one, ...next } : one));
const order = (changes: Partial<StoredOrder>): Snapshot => ({
  ...STORED,
  orders: [{ ...PAID, ...changes }],
});
const payment = (changes: Partial<StoredPayment>): Snapshot => ({
  ...STORED,
  payments: [{ ...PAYMENT, ...changes }],
});
const product = (changes: Partial<Snapshot['products'][number]>): Snapshot => ({
  ...STORED,
  products: [{ ...STORED.products[0]!, ...changes }],
});
/** A second order of the same items by the same user, a moment later, while the first is still open. */
const OTHER: StoredOrder = {
  ...PAID,
  orderId: 'ord_2',
  status: 'PENDING_PAYMENT',
  createdAtMs: Date.parse(time(2)),
  items: [{ productId: 'prod-a', quantity: 1, unitPrice: EUR(100) }],
  total: EUR(100),
  modifications: 0,
  history: PAID.history.slice(0, 3),
};
const UNPAID = { ...OTHER, orderId: 'ord_1', createdAtMs: PAID.createdAtMs };
const { modification: _none, ...FIRST } = UNPAID;
const { modification: _no, ...SECOND } = OTHER;
const TWICE: Snapshot = {
  ...STORED,
  orders: [FIRST, SECOND],
  payments: [],
  charges: new Map(),
  products: [{ ...STORED.products[0]!, available: 8, sold: 0 }],
};
const PLACE_AGAIN = call(7, 'place', ['POST', '/order'], answered(202, { orderId: 'ord_2' }), {
  body: { items: ONE },
});

test('a history in which all is well has nothing broken', () => {
  expect(brokenHistory(recorded(CALLS), STORED)).toEqual([]);
});

describe('a checker sees that', () => {
  test.each<[string, readonly Call[], Snapshot, string]>([
    [
      'an acknowledged order is not there',
      CALLS,
      { ...STORED, orders: [] },
      'placed: alice was answered ord_1',
    ],
    [
      "an acknowledged order is another user's",
      CALLS,
      order({ userId: 'bob' }),
      'placed: alice was answered ord_1',
    ],
    [
      'an order was asked for by nobody',
      without(PLACE),
      STORED,
      'placed: ord_1 of alice was made by no request',
    ],
    [
      'an order is there although it was refused',
      replaced(PLACE, {
        outcome: 'fail',
        answer: answered(409, { code: 'DUPLICATE_ORDER', orderId: 'ord_9' }),
      }),
      STORED,
      'placed: ord_1 of alice was made by no request',
    ],
    [
      'one request made two orders',
      [...replaced(PLACE, { outcome: 'unknown', answer: undefined })],
      { ...TWICE },
      'placed: ord_2 of alice was made by no request',
    ],
    [
      'one key was answered with two orders',
      [...CALLS, { ...PLACE_AGAIN, headers: PLACE.headers }],
      { ...STORED, orders: [PAID, { ...SECOND, status: 'ORDER_CANCELLED' }] },
      "repeated: alice's place with the key alice-1 was answered ord_1 and ord_2",
    ],
    [
      'one key was taken for two requests',
      [
        ...CALLS,
        { ...PLACE_AGAIN, headers: PLACE.headers, answer: PLACE.answer, body: { items: TWO } },
      ],
      STORED,
      "repeated: alice's place with the key alice-1 was taken for two requests",
    ],
    [
      'one key has two answers',
      [...CALLS, { ...PLACE_AGAIN, headers: PLACE.headers, answer: answered(201, shown(3, 3)) }],
      STORED,
      "repeated: alice's place with the key alice-1 has 2 answers",
    ],
    [
      'the same items are ordered twice',
      [PLACE, RECEIVE, PRICE, PLACE_AGAIN],
      TWICE,
      'duplicate: alice has ord_1 and then ord_2',
    ],
    [
      'a cancelled order goes on',
      [
        ...CALLS,
        call(
          8,
          'cancel',
          ['POST', '/order/cancelorder/ord_1'],
          answered(200, { orderId: 'ord_1', status: 'ORDER_CANCELLED' }),
        ),
      ],
      STORED,
      'cancelled: ord_1 is PAYMENT_DONE, with 1 charges',
    ],
    [
      'an acknowledged change is lost',
      CALLS,
      order({ modifications: 0 }),
      'modified: ord_1 counts 0 changes',
    ],
    [
      'a refused change was made',
      replaced(MODIFY, { outcome: 'fail', answer: answered(412, { code: 'PRECONDITION_FAILED' }) }),
      STORED,
      'modified: ord_1 counts 1 changes',
    ],
    [
      'a change was made to other items',
      CALLS,
      order({ modification: { status: 'APPLIED', items: ONE } }),
      'modified: ord_1 was changed last to what nobody asked for last',
    ],
    [
      'a change is never decided',
      CALLS,
      order({ modification: { status: 'PENDING', items: TWO } }),
      'modified: a change of ord_1 is never decided',
    ],
    [
      'an applied change does not show',
      CALLS,
      order({ items: [{ ...PAID.items[0]!, quantity: 3 }], total: EUR(300) }),
      'modified: ord_1 has other items than were applied',
    ],
    [
      'an earlier change undid a later one',
      [
        ...CALLS,
        {
          ...MODIFY,
          headers: { 'idempotency-key': 'alice-8' },
          body: { items: ONE },
          invokedStep: 16,
          endedStep: 17,
        },
      ],
      order({ modifications: 2 }),
      'modified: ord_1 was changed last to what nobody asked for last',
    ],
    [
      'one version was changed by two',
      [3, 8].reduce<Call[]>(
        (calls, step) => [
          ...calls,
          { ...MODIFY, headers: { 'idempotency-key': `alice-${String(step)}`, 'if-match': '"3"' } },
        ],
        without(MODIFY),
      ),
      order({ modifications: 2 }),
      'modified: alice-3 and alice-8 both changed /order/ord_1 at "3"',
    ],
    [
      "a user's step was asked for by nobody",
      without(PAY),
      STORED,
      'unasked: ord_1 has 1 PAYMENT_STARTED, asked for 0 times',
    ],
    [
      'an acknowledged payment is not there',
      CALLS,
      { ...STORED, payments: [] },
      'paid: pay_1 of ord_1 was answered and is not there',
    ],
    [
      'a payment has another amount than was answered',
      CALLS,
      payment({ amount: EUR(100) }),
      'paid: pay_1 was answered with another amount',
    ],
    [
      'a payment that was answered as done is not',
      CALLS,
      order({ paymentId: 'pay_2' }),
      'paid: pay_1 was answered as done',
    ],
    [
      'a payment that was answered as failed is kept',
      replaced(PAY, {
        outcome: 'fail',
        answer: answered(402, { code: 'PAYMENT_DECLINED', orderId: 'ord_1', paymentId: 'pay_1' }),
      }),
      STORED,
      'paid: pay_1 was answered as failed, and ord_1 is paid with it',
    ],
    [
      'an order does not cost what its items do',
      CALLS,
      order({ total: EUR(199) }),
      'money: ord_1 costs 199, and its items 200',
    ],
    [
      'an order is charged what it does not cost',
      CALLS,
      { ...STORED, charges: new Map() },
      'money: ord_1 is PAYMENT_DONE, costs 200, charged 0',
    ],
    [
      'a user sees an order go back',
      [
        ...CALLS,
        call(8, 'get', ['GET', '/order/ord_1'], answered(200, shown(1, 1)), { headers: {} }),
      ],
      STORED,
      'read: ord_1 goes back',
    ],
    [
      'a user is shown what never was',
      replaced(READ, { answer: answered(200, { ...shown(3, 3), status: 'PAYMENT_FAILED' }) }),
      STORED,
      'read: ord_1 was shown PAYMENT_FAILED',
    ],
    [
      "one's own order is not found",
      replaced(READ, { outcome: 'fail', answer: answered(404, { code: 'NOT_FOUND' }) }),
      STORED,
      'lost: alice was answered 404 at /order/ord_1',
    ],
    [
      "another's order is shown",
      replaced(READ, { kind: 'pry', user: 'bob' }),
      STORED,
      'private: bob was answered 200 at /order/ord_1',
    ],
    [
      'an error has no name',
      replaced(READ, { outcome: 'unknown', answer: answered(500, { code: 'INTERNAL_ERROR' }) }),
      STORED,
      "error: alice's get was answered 500",
    ],
    [
      'a receipt is not counted',
      CALLS,
      product({ received: 5, available: 3 }),
      'stock: prod-a has received 5, not 8',
    ],
    [
      'a receipt is counted twice',
      CALLS,
      product({ received: 11, available: 9 }),
      'stock: prod-a has received 11, not 8',
    ],
    [
      'more is sold than is paid',
      CALLS,
      product({ available: 5, sold: 3 }),
      'stock: of prod-a, 8 were received, 3 sold, 2 paid',
    ],
    [
      "an acknowledged price is not the product's",
      CALLS,
      product({ unitPrice: EUR(100) }),
      'price: prod-a costs 100, not 150',
    ],
  ])('%s', (_what, calls, stored, words) => {
    expect(brokenHistory(recorded(calls), stored)).toContainEqual(expect.stringContaining(words));
  });

  test('what nobody knows of may have been done or not', () => {
    const unknown = CALLS.map((one) =>
      one === RECEIVE || one === MODIFY
        ? { ...one, outcome: 'unknown' as const, answer: undefined }
        : one,
    );
    expect(brokenHistory(recorded(unknown), STORED)).toEqual([]);
    expect(brokenHistory(recorded(unknown), product({ received: 5, available: 3 }))).toEqual([]);
  });

  test('an order that was invalid as it was sent is no duplicate', () => {
    const history = [
      { from: null, to: 'INVALID', reason: 'BAD_QUANTITY', at: time(2), by: 'user' },
    ];
    const invalid: StoredOrder = { ...SECOND, status: 'INVALID', history };
    const calls = [PLACE, RECEIVE, PRICE, PLACE_AGAIN];
    const broken = brokenHistory(recorded(calls), { ...TWICE, orders: [FIRST, invalid] });
    expect(broken.filter((words) => words.startsWith('duplicate'))).toEqual([]);
  });
});
