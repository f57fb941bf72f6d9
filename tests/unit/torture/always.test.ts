import { describe, expect, test } from 'vitest';
import type { CarriedOut } from '../../../local/dynamodb/memory-dynamodb.ts';
import type { Item } from '../../../local/dynamodb/values.ts';
import {
  brokenAlways,
  brokenCharge,
  brokenEntries,
  brokenSuccession,
  brokenWrites,
  deafWrites,
  expiredEarly,
  type StoredNow,
  tooManyPieces,
} from '../../../torture/always.ts';
import type { StoredWait } from '../../../torture/world/snapshot.ts';

const NOW = Date.UTC(2026, 0, 1);
const LATER = NOW + 900_000;

/** Every hold outlasts the time to pay by so much. */
const LIMITS = { allowanceMs: 60_000, maxOpenOrders: 2, defaultMaxPerOrder: 10 };
const amount = { amount: 850, currency: 'EUR' };
const lines = [{ productId: 'prod-mug', quantity: 1 }];
const order = {
  orderId: 'ord_1',
  userId: 'alice',
  status: 'PENDING_PAYMENT',
  createdAtMs: NOW,
  version: 3,
  items: lines,
  revision: 1,
  heldRevision: 1,
  reservationExpiresAtMs: LATER,
  run: 1,
  attempt: 0,
  modifications: 0,
  dueAtMs: LATER,
  dueKeyMs: LATER,
  total: amount,
  history: [],
} as const;
const payment = {
  paymentId: 'pay_1',
  orderId: 'ord_1',
  userId: 'alice',
  status: 'CAPTURED',
  revision: 1,
  amount,
  history: [],
} as const;
const held = {
  orderId: 'ord_1',
  status: 'HELD',
  revision: 1,
  lines,
  expiresAtMs: LATER + LIMITS.allowanceMs,
} as const;
const mug = {
  productId: 'prod-mug',
  status: 'ACTIVE',
  unitPrice: amount,
  available: 24,
  reserved: 1,
  sold: 0,
  received: 25,
} as const;
const soldMug = { ...mug, reserved: 0, sold: 1 };
const backMug = { ...mug, available: 25, reserved: 0 };
const sold = { ...held, status: 'CONFIRMED', paymentId: 'pay_1' };
const { dueAtMs: _dueAtMs, dueKeyMs: _dueKeyMs, ...atRest } = order;
const done = { ...atRest, status: 'PAYMENT_DONE', paymentId: 'pay_1' };
const released = { orderId: 'ord_1', status: 'RELEASED', revision: 1 };

function charged(status: string): StoredNow['charges'] {
  const charge = { chargeId: 'ch_1', paymentId: 'pay_1', orderId: 'ord_1', amount, status };
  return new Map([['ord_1', [charge]]]) as unknown as StoredNow['charges'];
}

const openOrders = {
  pk: 'USER#alice',
  version: 1,
  entryCount: 1,
  items_mug: { orderId: 'ord_1', atMs: NOW, version: 1 },
} as const;

const waiting: StoredNow = {
  orders: [order],
  openOrders: [openOrders],
  payments: [],
  methods: [],
  products: [mug],
  reservations: [held],
  charges: new Map(),
};
const paid: StoredNow = {
  orders: [done],
  openOrders: [],
  payments: [payment],
  methods: [],
  products: [soldMug],
  reservations: [sold],
  charges: charged('CAPTURED'),
};

const OWED = { reason: 'LATE_CAPTURE', dueAtMs: LATER };

describe('at any moment', () => {
  test.each([
    ['waits for its payment', waiting],
    ['is paid', paid],
  ])('nothing is broken where an order %s', (_what, stored) => {
    expect(brokenAlways(stored, NOW, LIMITS)).toEqual([]);
  });

  test.each<[string, StoredNow, string]>([
    [
      'an order is not entered',
      { ...waiting, openOrders: [] },
      'P4: ord_1 is PENDING_PAYMENT and not among the open orders',
    ],
    [
      'an order is entered for somebody else',
      { ...waiting, openOrders: [{ ...openOrders, pk: 'USER#bob' }] },
      'P4: ord_1 is PENDING_PAYMENT and not among the open orders',
    ],
    [
      'entries are miscounted',
      { ...waiting, openOrders: [{ ...openOrders, entryCount: 2 }] },
      'P6: USER#alice has 1 entries, and counts 2',
    ],
    [
      'stock is negative',
      { ...waiting, products: [{ ...mug, available: -1, received: 0 }] },
      'P1: the stock of prod-mug',
    ],
    [
      'pieces are lost',
      { ...waiting, products: [{ ...mug, available: 23 }] },
      'P1: the stock of prod-mug',
    ],
    [
      'counters are not what is reserved',
      { ...waiting, products: [backMug] },
      'P1: the stock of prod-mug',
    ],
    [
      'a failed order holds stock',
      { ...waiting, orders: [{ ...atRest, status: 'PAYMENT_FAILED' }] },
      'P5: the stock of ord_1 is held, and the order is PAYMENT_FAILED and owes nothing',
    ],
    [
      'what is owed is not due',
      { ...waiting, orders: [{ ...atRest, status: 'CREATED' }] },
      'P5: ord_1 is CREATED and not due',
    ],
    [
      'what is owed is found too late',
      { ...waiting, orders: [{ ...order, dueKeyMs: LATER + 1 }] },
      'P5: ord_1 is PENDING_PAYMENT, owes',
    ],
    [
      'what a payment owes is found too late',
      {
        ...paid,
        orders: [{ ...done, dueKeyMs: LATER + 1 }],
        payments: [{ ...payment, paymentId: 'pay_1_0', status: 'FAILED', voidOwed: OWED }, payment],
      },
      'P5: ord_1 is PAYMENT_DONE, owes',
    ],
    [
      'nothing is owed and it is still found',
      { ...paid, orders: [{ ...done, dueKeyMs: NOW }] },
      'P5: ord_1 is PAYMENT_DONE, owes',
    ],
    [
      'a payment is kept by another order',
      { ...paid, payments: [payment, { ...payment, paymentId: 'pay_2', status: 'VOIDED' }] },
      'P4: pay_2 does not lead to ord_1',
    ],
    [
      'another revision is held than the order waits with',
      { ...waiting, reservations: [{ ...held, revision: 2 }] },
      'P5: ord_1 waits for its payment, and its stock is not held for it',
    ],
    [
      'other items are held than the order has',
      { ...waiting, orders: [{ ...order, items: [{ productId: 'prod-mug', quantity: 2 }] }] },
      'P5: ord_1 waits for its payment, and its stock is not held for it',
    ],
    [
      'stock is held for less long than a payment begun at the last moment may take',
      { ...waiting, reservations: [{ ...held, expiresAtMs: LATER + LIMITS.allowanceMs - 1 }] },
      'P5: ord_1 waits for its payment, and its stock is not held for it',
    ],
    [
      'an order is being paid without a payment',
      { ...waiting, orders: [{ ...order, status: 'PAYMENT_IN_PROGRESS', paymentId: 'pay_1' }] },
      'P4: ord_1 is being paid, and there is no payment',
    ],
    [
      'another amount is paid',
      { ...paid, payments: [{ ...payment, amount: { ...amount, amount: 1 } }] },
      'P3: ord_1 is PAYMENT_DONE and not paid, or not sold',
    ],
    [
      'other items are sold',
      { ...paid, orders: [{ ...done, items: [{ productId: 'prod-mug', quantity: 2 }] }] },
      'P3: ord_1 is PAYMENT_DONE and not paid, or not sold',
    ],
    [
      'captured money is nobody’s',
      { ...paid, orders: [{ ...done, status: 'PAYMENT_FAILED', paymentId: 'pay_2' }] },
      'P2: pay_1 is captured for nothing, and its refund is not owed',
    ],
    [
      'an open payment has lost its method',
      { ...waiting, payments: [{ ...payment, status: 'INITIATED', methodId: 'met_1' }] },
      'P4: pay_1 is open, and nobody knows its method',
    ],
    [
      'the method of an open payment is removed',
      {
        ...waiting,
        payments: [{ ...payment, status: 'PENDING' }],
        methods: [{ pk: 'METHOD#met_1', ttl: 0 }],
      },
      'P4: pay_1 is open, and nobody knows its method',
    ],
    [
      'a method is kept for good',
      { ...waiting, methods: [{ pk: 'METHOD#met_1', ttl: Number.NaN }] },
      'P5: METHOD#met_1 is kept for good',
    ],
    [
      'a charge may still be captured for a voided payment',
      { ...waiting, payments: [{ ...payment, status: 'VOIDED' }], charges: charged('PENDING') },
      'P2: pay_1 is VOIDED, and its charge PENDING',
    ],
  ])('it is told where %s', (_what, stored, words) => {
    expect(brokenAlways(stored, NOW, LIMITS)).toEqual([expect.stringContaining(words)]);
  });

  test.each<[string, StoredNow]>([
    [
      'cancelled, and owes its stock back',
      {
        ...waiting,
        orders: [{ ...order, status: 'ORDER_CANCELLED', releaseOwed: { revision: 1 } }],
      },
    ],
    [
      'failed, and its captured money is owed back',
      {
        ...waiting,
        orders: [{ ...atRest, status: 'PAYMENT_FAILED', paymentId: 'pay_1', dueKeyMs: NOW }],
        payments: [{ ...payment, refundOwed: OWED }],
        products: [backMug],
        reservations: [released],
        charges: charged('CAPTURED'),
      },
    ],
  ])('an order may be %s', (_what, stored) => {
    expect(brokenAlways(stored, NOW, LIMITS)).toEqual([]);
  });

  test('the stock of an order whose time is up may be gone', () => {
    const stored = { ...waiting, products: [backMug], reservations: [released] };
    expect(brokenAlways(stored, LATER, LIMITS)).toEqual([]);
  });

  test('a user has no more open orders than allowed', () => {
    const second = { ...order, orderId: 'ord_2', status: 'CREATED' };
    const entry = { ...openOrders.items_mug, orderId: 'ord_2' };
    const two = { ...openOrders, entryCount: 2, items_cup: entry };
    const stored = { ...waiting, orders: [order, second], openOrders: [two] };
    expect(brokenAlways(stored, NOW, LIMITS)).toEqual([]);
    expect(brokenAlways(stored, NOW, { ...LIMITS, maxOpenOrders: 1 })).toEqual([
      'P8: alice has 2 open orders, more than 1',
    ]);
  });
});

describe('a charge', () => {
  const charging = {
    orders: [order],
    payments: [{ ...payment, status: 'INITIATED' }],
    reservations: [held],
  };

  test('is right while the stock is held until it is settled', () => {
    expect(brokenCharge(charging, 'pay_1', LATER)).toEqual([]);
  });

  test.each([
    ['held for less long', [{ ...held, expiresAtMs: LATER - 1 }]],
    ['held at another revision', [{ ...held, revision: 2 }]],
    ['gone', [released]],
  ])('is wrong where the stock is %s', (_what, reservations) => {
    expect(brokenCharge({ ...charging, reservations }, 'pay_1', LATER)).toHaveLength(1);
  });

  test('of a payment that is settled comes to nothing', () => {
    const payments = [{ ...payment, status: 'VOIDED' }];
    expect(brokenCharge({ ...charging, payments, reservations: [] }, 'pay_1', LATER)).toEqual([]);
  });
});

describe('a step', () => {
  const event = { orderId: 'ord_1', run: 1 };
  const writeOf = (type: string, run: number): CarriedOut => {
    const before = { pk: { S: `${type}#ord_1` }, run: { N: String(run) } };
    return { table: 'orders', before, after: before, isAllowedOver: () => false };
  };

  test.each([
    ['of the order’s run writes the order', 'reserveStock', 'ORDER', 1, 0],
    ['of an older run does not write the order', 'reserveStock', 'ORDER', 2, 1],
    ['of an older run may write what all orders share', 'reserveStock', 'CIRCUIT', 2, 0],
    ['that compensates is for any run', 'compensate', 'ORDER', 2, 0],
  ])('%s', (_what, functionKey, type, run, broken) => {
    const writes = [writeOf(type, run)];
    expect(brokenSuccession(writes, { functionKey, event })).toHaveLength(broken);
  });

  test('is no other function’s write', () => {
    expect(brokenSuccession([writeOf('ORDER', 2)], undefined)).toEqual([]);
  });
});

describe('a step that waits', () => {
  const event = { orderId: 'ord_1', run: 1, enteredAt: '2026-01-01T00:00:00.000Z', retryCount: 1 };
  const own = { orderId: 'ord_1', run: 1, enteredAtMs: NOW, retryCount: 1, isOpen: true };
  const writeOf = (attributes: Item): CarriedOut => {
    const after = { pk: { S: 'ORDER#ord_1' }, ...attributes };
    return { table: 'orders', before: undefined, after, isAllowedOver: () => false };
  };
  const waiting = writeOf({ status: { S: 'PENDING_PAYMENT' } });
  const paying = (status: string) =>
    writeOf({
      status: { S: 'PAYMENT_IN_PROGRESS' },
      payments: { L: [{ M: { status: { S: status } } }] },
    });

  test.each([
    ['reserveStock', waiting],
    ['awaitAcknowledgement', paying('PENDING')],
  ])('%s stores its token before its order waits', (functionKey, write) => {
    const deaf = (...waits: StoredWait[]) => deafWrites([write], { functionKey, event }, { waits });
    expect(deaf(own)).toEqual([]);
    // A newer attempt waits already, for the same decision.
    expect(deaf({ ...own, retryCount: 2 })).toEqual([]);
    expect(deaf({ ...own, enteredAtMs: NOW + 1, retryCount: 0 })).toEqual([]);
    expect(deaf({ ...own, run: 2, enteredAtMs: NOW - 1, retryCount: 0 })).toEqual([]);
    expect(deaf()).toHaveLength(1);
    expect(deaf({ ...own, retryCount: 0 })).toHaveLength(1);
    expect(deaf({ ...own, enteredAtMs: NOW - 1, retryCount: 2 })).toHaveLength(1);
    expect(deaf({ ...own, orderId: 'ord_2' })).toHaveLength(1);
  });

  test('may write before that what nobody waits for', () => {
    const reserving = writeOf({ status: { S: 'PENDING_RESERVING_STOCK' } });
    const writes = [reserving, paying('INITIATED')];
    expect(deafWrites(writes, { functionKey: 'reserveStock', event }, { waits: [] })).toEqual([]);
  });

  test('is no other function', () => {
    expect(deafWrites([waiting], { functionKey: 'startPayment', event }, { waits: [] })).toEqual(
      [],
    );
    expect(deafWrites([waiting], undefined, { waits: [] })).toEqual([]);
  });
});

describe('an order that waits for its payment', () => {
  const waiting = {
    orderId: { S: 'ord_1' },
    status: { S: 'PENDING_PAYMENT' },
    reservationExpiresAtMs: { N: String(LATER) },
  };
  const failed = (reason: string): CarriedOut => ({
    table: 'orders',
    before: waiting,
    after: { orderId: { S: 'ord_1' }, status: { S: 'ORDER_FAILED' }, reason: { S: reason } },
    isAllowedOver: () => false,
  });

  test.each([
    ['RESERVATION_EXPIRED', LATER - 2001, ['P5: ord_1 expires 2001 ms too early']],
    ['RESERVATION_EXPIRED', LATER - 2000, []],
    ['PRODUCT_UNAVAILABLE', NOW, []],
  ])('fails with %s at %d: %j', (reason, nowMs, violations) => {
    expect(expiredEarly([failed(reason)], nowMs)).toEqual(violations);
  });
});

describe('a reservation', () => {
  const reserving = (...quantities: readonly number[]) => ({
    type: { S: 'RESERVATION' },
    orderId: { S: 'ord_1' },
    lines: {
      L: quantities.map((quantity) => ({
        M: { productId: { S: 'prod-mug' }, quantity: { N: String(quantity) } },
      })),
    },
  });
  const write = (before: Item | undefined, after: Item) => ({
    table: 'inventory',
    before,
    after,
    isAllowedOver: () => false,
  });
  const limited = { products: [{ ...mug, maxPerOrder: 3 }] };

  test.each<[string, CarriedOut]>([
    ['at once', write(undefined, reserving(4))],
    ['in two lines', write(undefined, reserving(2, 2))],
    ['by a change', write(reserving(3), reserving(4))],
  ])('takes more pieces than one order may have %s', (_how, one) => {
    expect(tooManyPieces([one], limited, LIMITS)).toEqual(['P8: ord_1 takes 4 of prod-mug']);
  });

  test('may take as many as one order may have', () => {
    expect(tooManyPieces([write(undefined, reserving(3))], limited, LIMITS)).toEqual([]);
  });

  test('takes more than the default of a product without a limit', () => {
    const products = { products: [mug] };
    expect(tooManyPieces([write(undefined, reserving(10))], products, LIMITS)).toEqual([]);
    expect(tooManyPieces([write(undefined, reserving(11))], products, LIMITS)).toHaveLength(1);
  });

  test.each([
    ['keeps what it has', reserving(5)],
    ['gives some back', reserving(4)],
    ['is released', { type: { S: 'RESERVATION' }, orderId: { S: 'ord_1' } }],
  ])('%s where the limit was lowered', (_what, after) => {
    expect(tooManyPieces([write(reserving(5), after)], limited, LIMITS)).toEqual([]);
  });
});

describe('a write', () => {
  const before = {
    pk: { S: 'ORDER#ord_1' },
    type: { S: 'ORDER' },
    status: { S: 'CREATED' },
    version: { N: '1' },
    writes: { N: '5' },
  };
  const after = {
    ...before,
    status: { S: 'ORDER_CANCELLED' },
    version: { N: '2' },
    writes: { N: '6' },
  };
  const asRead: CarriedOut['isAllowedOver'] = (stored) =>
    stored?.['status']?.S === 'CREATED' && stored['writes']?.N === '5';
  const write = { table: 'orders', before, after, isAllowedOver: asRead };
  const start = {
    table: 'orders',
    before: { ...before, run: { N: '1' } },
    after: {
      ...after,
      run: { N: '1' },
      status: { S: 'PENDING_RESERVING_STOCK' },
      purpose: { S: 'FIRST' },
    },
    isAllowedOver: (stored: Parameters<CarriedOut['isAllowedOver']>[0]) =>
      stored?.['status']?.S === 'CREATED' && stored['run']?.N === '1',
  };
  const entering: CarriedOut = {
    table: 'orders',
    before: undefined,
    after: {
      pk: { S: 'USER#alice' },
      type: { S: 'OPEN_ORDERS' },
      version: { N: '1' },
      entryCount: { N: '1' },
      items_mug: { M: { orderId: { S: 'ord_1' } } },
    },
    isAllowedOver: (stored) =>
      stored?.['items_mug'] === undefined && Number(stored?.['entryCount']?.N ?? 0) < 10,
  };

  test('is right on condition of status and counter', () => {
    expect(brokenWrites([write])).toEqual([]);
  });

  test('that begins a run is right on condition of status and run', () => {
    expect(brokenWrites([start])).toEqual([]);
  });

  test('that nobody sees leaves the version', () => {
    const touched = { ...before, dueAtMs: { N: '9' }, writes: { N: '6' } };
    expect(brokenWrites([{ ...write, after: touched }])).toEqual([]);
  });

  test('of a place in the outbox is no change of the order', () => {
    const found = { ...write, before: { ...before, dueKeyMs: { N: '7' } } };
    expect(brokenWrites([{ ...found, after: { ...before, dueKeyMs: { N: '9' } } }])).toEqual([]);
  });

  test('of a reservation counts in its version', () => {
    const reservation = { ...before, type: { S: 'RESERVATION' }, revision: { N: '1' } };
    const { writes: _writes, ...released } = { ...after, type: reservation.type };
    const versioned = {
      ...write,
      before: reservation,
      after: { ...released, revision: { N: '1' } },
      isAllowedOver: (stored: Parameters<CarriedOut['isAllowedOver']>[0]) =>
        stored?.['status']?.S === 'CREATED' && stored['version']?.N === '1',
    };
    expect(brokenWrites([versioned])).toEqual([]);
  });

  test.each<[string, CarriedOut, string]>([
    [
      'whatever the status',
      { ...write, isAllowedOver: (stored) => stored?.['writes']?.N === '5' },
      'P6: ORDER#ord_1 is written whatever its status',
    ],
    [
      'whatever the counter',
      { ...write, isAllowedOver: (stored) => stored?.['status']?.S === 'CREATED' },
      'P6: ORDER#ord_1 is written whatever its writes',
    ],
    [
      'that begins whatever run',
      { ...start, isAllowedOver: (stored) => stored?.['status']?.S === 'CREATED' },
      'P6: ORDER#ord_1 is reserved whatever its run',
    ],
    [
      'that begins a run whatever the status',
      { ...start, isAllowedOver: (stored) => stored?.['run']?.N === '1' },
      'P6: ORDER#ord_1 is reserved whatever its status',
    ],
    [
      'that begins a run with what somebody read before',
      { ...start, after: { ...start.after, items: { L: [] } } },
      'P6: ORDER#ord_1 is reserved and its items overwritten',
    ],
    [
      'over what is there',
      { ...write, before: undefined, isAllowedOver: () => true },
      'P6: ORDER#ord_1 is written over',
    ],
    [
      'without counting',
      { ...write, after: { ...after, writes: { N: '5' } } },
      'P6: ORDER#ord_1 does not count its writes in its writes',
    ],
    [
      'that its user sees at the same version',
      { ...write, after: { ...after, version: { N: '1' } } },
      'P6: the version of ORDER#ord_1 does not count what its user sees',
    ],
    [
      'that its user does not see at a new version',
      { ...write, after: { ...before, version: { N: '2' }, writes: { N: '6' } } },
      'P6: the version of ORDER#ord_1 does not count what its user sees',
    ],
    [
      'of a reservation by an older revision',
      {
        ...write,
        before: { ...before, type: { S: 'RESERVATION' }, revision: { N: '2' } },
        after: { ...after, type: { S: 'RESERVATION' }, revision: { N: '1' } },
        isAllowedOver: (stored) =>
          stored?.['status']?.S === 'CREATED' && stored['version']?.N === '1',
      },
      'P6: ORDER#ord_1 is changed by an older revision',
    ],
    [
      'of an entry over that of another order',
      {
        ...entering,
        isAllowedOver: (stored) => Number(stored?.['entryCount']?.N) < 10,
      },
      'P6: USER#alice items_mug is taken, whoever has it',
    ],
    [
      'of one entry more, however many there are',
      {
        ...entering,
        isAllowedOver: (stored) => stored?.['items_mug'] === undefined,
      },
      'P6: USER#alice takes an order, however many it has',
    ],
    [
      'of open orders that have changed since',
      {
        ...entering,
        before: { ...entering.after, version: { N: '0' } },
        after: { ...entering.after, items_mug: { M: { orderId: { S: 'ord_2' } } } },
        isAllowedOver: () => true,
      },
      'P6: USER#alice is written whatever its version',
    ],
  ])('is told of %s', (_what, wrong, words) => {
    expect(brokenWrites([wrong])).toEqual([words]);
  });

  test.each([
    ['PENDING_PAYMENT', 59_999, 1],
    ['ORDER_FAILED', 0, 1],
    ['PENDING_PAYMENT', 60_000, 0],
    ['ORDER_CANCELLED', 0, 0],
  ])('that drops the entry of an order that is %s after %i ms: %i', (status, ageMs, broken) => {
    const items_mug = { M: { orderId: { S: 'ord_1' }, atMs: { N: String(NOW - ageMs) } } };
    const seen = { ...entering.after, items_mug };
    const { items_mug: _dropped, ...without } = seen;
    const rewritten = { ...entering, before: seen, after: without };
    const stored = { orders: [{ ...order, status }] };
    expect(brokenEntries([rewritten], stored, NOW)).toHaveLength(broken);
    const other = { M: { orderId: { S: 'ord_2' } } };
    const moved = {
      ...rewritten,
      after: { ...without, items_mug: other, 'items_mug#ord_1': other },
    };
    expect(brokenEntries([moved], stored, NOW)).toHaveLength(broken);
    const kept = {
      ...rewritten,
      after: { ...without, items_mug: other, 'items_mug#ord_1': items_mug },
    };
    expect(brokenEntries([kept], stored, NOW)).toEqual([]);
  });

  test('of an entry that is conditional is right', () => {
    expect(brokenWrites([entering])).toEqual([]);
  });
});
