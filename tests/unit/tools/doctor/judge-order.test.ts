import { describe, expect, test } from 'vitest';
import type { Facts, StoredOrder } from '../../../../tools/doctor/facts.ts';
import { judge } from '../../../../tools/doctor/judge.ts';
import {
  type Around,
  charge,
  EUR_26,
  factsOf,
  held,
  historyOf,
  inShort,
  NOW,
  NOW_MS,
  OVERDUE_AFTER_MS,
  order,
  payment,
  released,
  sold,
} from './support.ts';

const SUBJECT = { kind: 'ORDER', orderId: 'ord_1' } as const;

function judged(around: Around): string[] {
  return inShort(judge(SUBJECT, factsOf(around), NOW));
}

const OTHER = { amount: 2599, currency: 'EUR' };
const OWED_RELEASE = { releaseOwed: { revision: 3 }, dueAtMs: NOW_MS };
const RETRY = { purpose: 'PAYMENT_RETRY', total: EUR_26 } as const;
const PRICED = [{ productId: 'mug', quantity: 2, unitPrice: { amount: 1299, currency: 'EUR' } }];

const PAID: Around = {
  order: order('PAYMENT_DONE'),
  payments: [payment('CAPTURED')],
  reservation: sold(),
  charges: [charge('CAPTURED')],
};

describe('nothing is wrong with an order', () => {
  test.each<[string, Around]>([
    ['that is new', { order: order('CREATED') }],
    ['whose stock is being reserved', { order: order('PENDING_RESERVING_STOCK') }],
    [
      'whose stock is reserved at this moment',
      { order: order('PENDING_RESERVING_STOCK'), reservation: held() },
    ],
    ['that waits for its payment', { order: order('PENDING_PAYMENT'), reservation: held() }],
    [
      'whose modification was refused',
      { order: order('PENDING_PAYMENT', { heldRevision: 2 }), reservation: held(2) },
    ],
    [
      'whose time was up a moment ago',
      {
        order: order('PENDING_PAYMENT', { reservationExpiresAtMs: NOW_MS - 1 }),
        reservation: released(),
      },
    ],
    [
      'whose time is up on a clock that is a little ahead',
      {
        order: order('PENDING_PAYMENT', { reservationExpiresAtMs: NOW_MS + 5000 }),
        reservation: released(),
      },
    ],
    [
      'whose payment begins',
      {
        order: order('PAYMENT_IN_PROGRESS'),
        payments: [payment('INITIATED')],
        reservation: held(),
      },
    ],
    ['that is sold and about to be PAYMENT_DONE', { ...PAID, order: order('PAYMENT_IN_PROGRESS') }],
    [
      'whose payment failed a moment ago',
      {
        order: order('PAYMENT_IN_PROGRESS'),
        payments: [payment('DECLINED')],
        reservation: released(),
        charges: [charge('DECLINED')],
      },
    ],
    ['that is paid', PAID],
    [
      'that is paid with its second payment',
      {
        ...PAID,
        charges: [charge('DECLINED', { paymentId: 'pay_2' }), charge('CAPTURED')],
        payments: [payment('DECLINED', { paymentId: 'pay_2' }), payment('CAPTURED')],
      },
    ],
    [
      'whose payment failed',
      {
        order: order('PAYMENT_FAILED'),
        payments: [payment('DECLINED')],
        reservation: released(),
        charges: [charge('DECLINED')],
      },
    ],
    [
      'whose payment failed and whose items were changed since',
      {
        order: order('PAYMENT_FAILED', {
          items: [{ productId: 'mug', quantity: 1, unitPrice: { amount: 1299, currency: 'EUR' } }],
          total: { amount: 1299, currency: 'EUR' },
        }),
        payments: [payment('DECLINED')],
        reservation: released(),
      },
    ],
    [
      'whose payment is being retried',
      {
        order: order('PENDING_RESERVING_STOCK', { ...RETRY, items: PRICED }),
        payments: [payment('INITIATED')],
        reservation: released(2),
      },
    ],
    ['whose time was up', { order: order('ORDER_FAILED'), reservation: released() }],
    ['that was out of stock', { order: order('INVALID'), reservation: released() }],
    ['that was cancelled before anything was reserved', { order: order('ORDER_CANCELLED') }],
    [
      'that was cancelled and still owes its release',
      { order: order('ORDER_CANCELLED', OWED_RELEASE), reservation: held() },
    ],
    [
      'that was refunded',
      {
        order: order('PAYMENT_FAILED'),
        payments: [payment('REFUNDED')],
        reservation: released(),
        charges: [charge('REFUNDED')],
      },
    ],
    ['whose charges nobody could ask for', { ...PAID, charges: 'UNKNOWN' }],
    [
      'that was due as long ago as is normal',
      { order: order('CREATED', { dueAtMs: NOW_MS - OVERDUE_AFTER_MS }) },
    ],
  ])('%s', (_what, around) => {
    expect(judged(around)).toEqual([]);
  });

  test('that is not there any more', () => {
    expect(judged({ reservation: held() })).toEqual([]);
  });
});

describe('the timer of an order', () => {
  const OFF_THE_INDEX: Around = {
    order: { ...order('CREATED'), dueShard: undefined },
  };
  test.each<[string, Around, string]>([
    [
      'is missing where the system owes the next move',
      { order: order('CREATED', { dueAtMs: undefined as never }) },
      'due-missing: MAKE_ORDER_DUE',
    ],
    ['is missing in the index', OFF_THE_INDEX, 'due-missing: MAKE_ORDER_DUE'],
    [
      'is in another shard than the dispatcher thinks',
      { order: { ...order('CREATED'), dueShard: 'due#3' } },
      'due-missing: MAKE_ORDER_DUE',
    ],
    [
      'is missing where a release is owed',
      { order: order('ORDER_FAILED', { releaseOwed: { revision: 3 } }), reservation: held() },
      'due-missing: MAKE_ORDER_DUE',
    ],
    [
      'has passed and nobody has looked',
      { order: order('CREATED', { dueAtMs: NOW_MS - OVERDUE_AFTER_MS - 1 }) },
      'overdue: DISPATCH_ORDER',
    ],
    [
      'has passed for a release that is owed',
      {
        order: order('ORDER_CANCELLED', { ...OWED_RELEASE, dueAtMs: NOW_MS - 3_600_000 }),
        reservation: held(),
      },
      'overdue: DISPATCH_ORDER',
    ],
    [
      'runs for an order at rest',
      { order: order('ORDER_FAILED', { dueAtMs: NOW_MS }) },
      'due-for-nothing: CLEAR_ORDER_DUE',
    ],
    [
      'runs for an order that is paid',
      { ...PAID, order: { ...order('PAYMENT_DONE'), dueShard: 'due#14' } },
      'due-for-nothing: CLEAR_ORDER_DUE',
    ],
  ])('%s', (_what, around, expected) => {
    expect(judged(around)).toEqual([expected]);
  });
});

describe('the timer of a payment', () => {
  const owing = (dueAtMs: number) => payment('FAILED', { voidOwed: { dueAtMs } });
  const FAILED: Around = { order: order('PAYMENT_FAILED'), reservation: released() };
  const keyedAt = (dueKeyMs: number, dueShard = 'due#14'): Around => {
    const { item } = factsOf({ ...FAILED, payments: [owing(NOW_MS)] }).order!;
    return { ...FAILED, order: { item: { ...item, dueKeyMs }, dueShard } };
  };

  test.each<[string, Around, string[]]>([
    ['runs', { ...FAILED, payments: [owing(NOW_MS)] }, []],
    ['runs, the order found a little early', keyedAt(NOW_MS - 1), []],
    ['runs, the order found too late', keyedAt(NOW_MS + 1), ['due-missing: MAKE_ORDER_DUE']],
    ['runs, in a wrong shard', keyedAt(NOW_MS, 'due#3'), ['due-missing: MAKE_ORDER_DUE']],
    [
      'has passed and nobody has looked',
      { ...FAILED, payments: [owing(NOW_MS - OVERDUE_AFTER_MS - 1)] },
      ['overdue: DISPATCH_ORDER'],
    ],
  ])('%s', (_what, around, expected) => {
    expect(judged(around)).toEqual(expected);
  });

  test('names the payment', () => {
    const around = { ...FAILED, payments: [owing(NOW_MS - OVERDUE_AFTER_MS - 1)] };
    expect(judge(SUBJECT, factsOf(around), NOW)).toMatchObject([
      { orderId: 'ord_1', paymentId: 'pay_1', found: expect.stringContaining('owes a void') },
    ]);
  });
});

describe('the money of an order', () => {
  test.each<[string, Around, string]>([
    [
      'is not the sum of its lines',
      { order: order('PENDING_PAYMENT', { total: OTHER }), reservation: held() },
      'order-total: a person',
    ],
    [
      'is in another currency than its lines',
      {
        order: order('PENDING_PAYMENT', { total: { amount: 2598, currency: 'USD' } }),
        reservation: held(),
      },
      'order-total: a person',
    ],
    [
      'is not what is being paid',
      {
        order: order('PAYMENT_IN_PROGRESS'),
        payments: [payment('INITIATED', { amount: OTHER })],
        reservation: held(),
      },
      'payment-amount: a person',
    ],
    [
      'is not what is to be paid when the stock is back',
      {
        order: order('PENDING_RESERVING_STOCK', { ...RETRY, items: PRICED }),
        payments: [payment('INITIATED', { amount: OTHER })],
      },
      'payment-amount: a person',
    ],
    [
      'is not what was paid',
      {
        ...PAID,
        payments: [payment('CAPTURED', { amount: OTHER })],
        charges: [charge('CAPTURED', { amount: OTHER })],
      },
      'payment-amount: a person',
    ],
    [
      'was never captured, though it is paid',
      { ...PAID, payments: [payment('DECLINED')], charges: [charge('DECLINED')] },
      'paid-order: a person',
    ],
    [
      'is to go back, though it is paid',
      {
        ...PAID,
        payments: [payment('CAPTURED', { refundOwed: { reason: 'TEST', dueAtMs: NOW_MS } })],
      },
      'paid-order: a person',
    ],
    [
      'was charged once more, which no payment knows',
      { ...PAID, charges: [charge('CAPTURED'), charge('CAPTURED', { paymentId: 'pay_x' })] },
      'charge-unknown: a person',
    ],
  ])('%s', (_what, around, expected) => {
    expect(judged(around)).toEqual([expected]);
  });
});

describe('the stock of an order', () => {
  const ONE_MUG = { lines: [{ ...PRICED[0], quantity: 1 }] };
  test.each<[string, Around, string]>([
    ['is paid and not sold', { ...PAID, reservation: released() }, 'paid-stock: a person'],
    [
      'is paid and sold to another payment',
      { ...PAID, reservation: sold('pay_2') },
      'paid-stock: a person',
    ],
    [
      'is paid, and less is sold',
      { ...PAID, reservation: sold('pay_1', ONE_MUG) },
      'paid-stock: a person',
    ],
    ['is paid and only held', { ...PAID, reservation: held() }, 'paid-stock: CONFIRM_STOCK'],
    [
      'is paid and held for another intent',
      { ...PAID, reservation: held(4) },
      'paid-stock: a person',
    ],
    [
      'is sold and not paid for',
      { ...PAID, order: order('ORDER_CANCELLED'), payments: [], charges: [] },
      'sold-unpaid: a person',
    ],
    [
      'is sold while the order waits for its payment',
      { order: order('PENDING_PAYMENT'), reservation: sold() },
      'sold-unpaid: a person',
    ],
    [
      'is sold while its payment is open',
      {
        order: order('PAYMENT_IN_PROGRESS'),
        payments: [payment('PENDING')],
        reservation: sold(),
      },
      'sold-unpaid: a person',
    ],
    [
      'is promised and not held',
      { order: order('PENDING_PAYMENT'), reservation: released() },
      'stock-not-held: a person',
    ],
    [
      'is promised and was never held',
      { order: order('PENDING_PAYMENT') },
      'stock-not-held: a person',
    ],
    [
      'is promised and held for another intent',
      { order: order('PENDING_PAYMENT'), reservation: held(2) },
      'stock-not-held: a person',
    ],
    [
      'is promised, and less is held',
      { order: order('PENDING_PAYMENT'), reservation: held(3, ONE_MUG) },
      'stock-not-held: a person',
    ],
    [
      'is held though nothing will come of it',
      { order: order('ORDER_FAILED'), reservation: held() },
      'stock-held-for-nothing: RELEASE_STOCK',
    ],
    [
      'is held for a newer intent than the one that is to be released',
      { order: order('ORDER_CANCELLED', OWED_RELEASE), reservation: held(4) },
      'stock-held-for-nothing: RELEASE_STOCK',
    ],
  ])('%s', (_what, around, expected) => {
    expect(judged(around)).toEqual([expected]);
  });

  test('is released at the revision that holds it', () => {
    const [finding] = judge(
      SUBJECT,
      factsOf({
        order: order('PAYMENT_FAILED'),
        payments: [payment('DECLINED')],
        reservation: held(2),
      }),
      NOW,
    );
    expect(finding?.remedy).toEqual({
      kind: 'RELEASE_STOCK',
      reservation: held(2),
      correlationId: 'corr-1',
    });
  });
});

describe('the history of an order', () => {
  test.each<[string, StoredOrder]>([
    [
      'step 2, CREATED to PENDING_PAYMENT, is no legal move',
      order('PENDING_PAYMENT', { history: historyOf('CREATED', 'PENDING_PAYMENT') }),
    ],
    [
      'step 1, NEW to PENDING_PAYMENT, is no legal move',
      order('PENDING_PAYMENT', { history: historyOf('PENDING_PAYMENT') }),
    ],
    [
      'it ends with PENDING_RESERVING_STOCK, the status is PENDING_PAYMENT',
      order('PENDING_PAYMENT', { history: historyOf('CREATED', 'PENDING_RESERVING_STOCK') }),
    ],
    [
      'it ends with nothing, the status is PENDING_PAYMENT',
      order('PENDING_PAYMENT', { history: [] }),
    ],
    ['step 1, NEW to CREATED, gives no reason', withStep({ reason: '' })],
    ['step 1, NEW to CREATED, has no time', withStep({ at: 'yesterday' })],
    ['a step does not say who took it', withStep({ by: '' })],
  ])('%s', (found, broken) => {
    expect(judge(SUBJECT, factsOf({ order: broken, reservation: held() }), NOW)).toEqual([
      {
        check: 'history',
        promise: 'P6',
        orderId: 'ord_1',
        found,
        expected: 'a chain of legal moves, each with its reason, time and author, up to the status',
        mend: 'a person: find out who wrote it past the code (the log lines of its correlation id)',
      },
    ]);
  });

  function withStep(changes: object): StoredOrder {
    const [first, ...others] = historyOf('CREATED', 'PENDING_RESERVING_STOCK', 'PENDING_PAYMENT');
    return order('PENDING_PAYMENT', { history: [{ ...first!, ...changes }, ...others] });
  }
});

test('an order that cannot be understood is told, and keeps nobody from judging the others', () => {
  const facts: Facts = factsOf({ order: order('CREATED', { items: undefined as never }) });
  expect(inShort(judge(SUBJECT, facts, NOW))).toEqual(['unreadable: a person']);
});

test('an order of another version is told, and nothing else about it', () => {
  const problem = 'ORDER#ord_1 has schema version 2; this code reads version 3.';
  const other = { problem, isOtherVersion: true } as const;
  const notDue = { ...order('CREATED', { dueAtMs: undefined as never }), ...other };
  const payments = [payment('CAPTURED', { methodId: 'met_1' } as object)];
  const [finding, ...others] = judge(SUBJECT, factsOf({ order: notDue, payments }), NOW);
  expect(finding).toMatchObject({
    check: 'unreadable',
    mend: 'a person: examine it with the doctor of the version that wrote it',
  });
  expect(finding?.found).toContain(problem);
  expect(others).toEqual([]);
});

test('an order that the service refuses to read is told, even if nothing else is wrong with it', () => {
  const problem = 'ORDER#ord_1 is malformed at heldRevision.';
  const facts: Facts = factsOf({ order: { ...order('CREATED'), problem } });
  const [finding, ...others] = judge(SUBJECT, facts, NOW);
  expect(finding).toMatchObject({ check: 'unreadable', promise: 'P4' });
  expect(finding?.found).toContain(problem);
  expect(others).toEqual([]);
});

test('an order is told nothing of its stock by a reservation that cannot be read', () => {
  const around = { order: order('PENDING_PAYMENT'), reservation: held(3, { lines: undefined }) };
  const reservationProblem = 'RESERVATION#ord_1 is malformed at lines.';
  expect(judge(SUBJECT, factsOf({ ...around, reservationProblem }), NOW)).toEqual([]);
});

test.each([
  [true, 'a person: examine it with the doctor of the version that wrote it'],
  [false, 'a person: restore it from a backup of the table'],
])(
  'a reservation that cannot be read (of another version: %s) has its own remedy',
  (isReservationOtherVersion, mend) => {
    const facts = factsOf({ reservation: held(3), reservationProblem: 'Version 2.' });
    const subject = { kind: 'RESERVATION', orderId: 'ord_1' } as const;
    expect(judge(subject, { ...facts, isReservationOtherVersion }, NOW)).toMatchObject([{ mend }]);
  },
);
