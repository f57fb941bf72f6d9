import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  hasBadQuantity,
  isFinal,
  itemsFingerprint,
  LEGAL_MOVES,
  mergeLines,
  moveOrder,
  type Order,
  type OrderStatus,
  sameItems,
  touchOrder,
} from '../../../../lib/orders/order.ts';
import { IllegalTransition } from '../../../../lib/platform/errors.ts';

const STATUSES = [
  'CREATED',
  'PENDING_RESERVING_STOCK',
  'PENDING_PAYMENT',
  'PAYMENT_IN_PROGRESS',
  'PAYMENT_DONE',
  'PAYMENT_FAILED',
  'ORDER_FAILED',
  'INVALID',
  'ORDER_CANCELLED',
] as const satisfies readonly OrderStatus[];

/** The table of the specification, section 2, copied by hand: one row for each pair. */
const SPECIFIED: readonly (readonly [from: OrderStatus | 'NEW', to: OrderStatus])[] = [
  ['NEW', 'CREATED'],
  ['NEW', 'INVALID'],
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

const FINAL: readonly OrderStatus[] = ['PAYMENT_DONE', 'INVALID', 'ORDER_CANCELLED'];

const TOTAL = { amount: 2598, currency: 'EUR' };
const MOVE = { reason: 'BECAUSE', at: '2026-03-01T12:00:00.000Z', by: 'alice' };

/** All fields that an order has only in this status, filled in. */
const OWN_FIELDS: Readonly<Record<OrderStatus, Readonly<Record<string, unknown>>>> = {
  CREATED: { dueAtMs: 1 },
  PENDING_RESERVING_STOCK: {
    dueAtMs: 2,
    purpose: 'MODIFICATION',
    former: { revision: 2, expiresAtMs: 9 },
    adopted: { revision: 3, expiresAtMs: 9, lines: [] },
    outage: { sinceMs: 2, notBeforeMs: 3 },
  },
  PENDING_PAYMENT: { dueAtMs: 3, heldRevision: 2, reservationExpiresAtMs: 9, waitToken: 'user' },
  PAYMENT_IN_PROGRESS: {
    dueAtMs: 4,
    heldRevision: 2,
    reservationExpiresAtMs: 9,
    waitToken: 'user',
  },
  PAYMENT_DONE: {},
  PAYMENT_FAILED: { dueAtMs: 5, reason: 'DECLINED', releaseOwed: { revision: 3 } },
  ORDER_FAILED: { dueAtMs: 6, reason: 'EXHAUSTED', releaseOwed: { revision: 3 } },
  INVALID: { dueAtMs: 8, reason: 'OUT_OF_STOCK', releaseOwed: { revision: 3 } },
  ORDER_CANCELLED: { dueAtMs: 7, reason: 'CANCELLED', releaseOwed: { revision: 3 } },
};

const BASE = {
  orderId: 'ord_1',
  userId: 'alice',
  correlationId: 'corr-1',
  createdAtMs: 1_772_366_400_000,
  revision: 3,
  run: 2,
  attempt: 1,
  items: [{ productId: 'mug', quantity: 2, unitPrice: { amount: 1299, currency: 'EUR' } }],
  total: TOTAL,
  placedAs: 'items_1',
  guardKey: 'guard_1',
  paymentId: 'pay_1',
  modification: { status: 'APPLIED', items: [] },
  modifications: 4,
  lastRequest: 'request_1',
  refunds: [{ paymentId: 'pay_0', amount: TOTAL, at: MOVE.at }],
};

function orderIn(status: OrderStatus): Order {
  const history = [{ from: null, to: status, ...MOVE }];
  return { ...BASE, ...OWN_FIELDS[status], status, version: 1, history } as unknown as Order;
}

function moveTo(order: Order, to: OrderStatus): Order {
  return moveOrder(order, to, OWN_FIELDS[to] as never, MOVE);
}

function isSpecified(from: OrderStatus, to: OrderStatus): boolean {
  return SPECIFIED.some(([left, right]) => left === from && right === to);
}

describe('the life of an order', () => {
  test('the table of legal moves is the one of the specification, no more and no less', () => {
    const coded = Object.entries(LEGAL_MOVES).flatMap(([from, tos]) =>
      tos.map((to) => `${from} → ${to}`),
    );
    expect(coded.toSorted()).toEqual(SPECIFIED.map(([from, to]) => `${from} → ${to}`).toSorted());
  });

  test.each(STATUSES)('%s is final exactly where the specification says so', (status) => {
    expect(isFinal(status)).toBe(FINAL.includes(status));
  });

  const pairs = STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const));

  test.each(pairs.filter(([from, to]) => isSpecified(from, to)))('%s can become %s', (from, to) => {
    expect(moveTo(orderIn(from), to)).toMatchObject({ status: to, version: 2 });
  });

  test.each(pairs.filter(([from, to]) => !isSpecified(from, to)))(
    '%s cannot become %s, and says which order and where it is',
    (from, to) => {
      const attempt = () => moveTo(orderIn(from), to);
      expect(attempt).toThrow(IllegalTransition);
      expect(attempt).toThrow(
        expect.objectContaining({ details: { orderId: 'ord_1', orderStatus: from } }),
      );
    },
  );

  test('any walk takes legal moves only, one version and one chained line of history each', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STATUSES),
        fc.array(fc.constantFrom(...STATUSES), { maxLength: 40, size: 'max' }),
        (start, wishes) => {
          let order = orderIn(start);
          for (const to of wishes) {
            const before = structuredClone(order);
            if (!isSpecified(order.status, to)) {
              expect(() => moveTo(order, to)).toThrow(IllegalTransition);
              expect(order).toEqual(before);
              continue;
            }
            const next = moveTo(order, to);
            expect(order).toEqual(before);
            expect(next.version).toBe(before.version + 1);
            expect(next.history).toEqual([...before.history, { from: before.status, to, ...MOVE }]);
            order = next;
          }
          expect(order.history.map(({ from }) => from)).toEqual([
            null,
            ...order.history.map(({ to }) => to).slice(0, -1),
          ]);
          expect(order.history.at(-1)?.to).toBe(order.status);
        },
      ),
    );
  });

  test('what belongs to a status goes with it, what belongs to the order stays', () => {
    const walks = fc
      .array(fc.constantFrom(...STATUSES), { maxLength: 40, size: 'max' })
      .map((wishes) => ['PENDING_RESERVING_STOCK' as const, ...wishes]);
    fc.assert(
      fc.property(fc.constantFrom(...STATUSES), walks, (start, wishes) => {
        let order = orderIn(start);
        for (const to of wishes.filter((wish) => wish !== start)) {
          if (!isSpecified(order.status, to)) continue;
          order = moveTo(order, to);
          const { version: _version, history: _history, ...facts } = order;
          expect(facts).toEqual({ ...BASE, ...OWN_FIELDS[to], status: to });
        }
      }),
    );
  });

  test('a move changes revision, run and attempt only where it is told to', () => {
    fc.assert(
      fc.property(
        fc.record({ revision: fc.nat(), run: fc.nat(), attempt: fc.nat() }, { requiredKeys: [] }),
        fc.constantFrom(...SPECIFIED.filter(([from]) => from !== 'NEW')),
        (told, [from, to]) => {
          const before = orderIn(from as OrderStatus);
          const next = moveOrder(before, to, { ...OWN_FIELDS[to], ...told }, MOVE);
          expect({ revision: next.revision, run: next.run, attempt: next.attempt }).toEqual({
            revision: 3,
            run: 2,
            attempt: 1,
            ...told,
          });
        },
      ),
    );
  });

  test('another fact in the same status is a new version without a line of history', () => {
    const before = orderIn('PENDING_PAYMENT');
    const next = touchOrder(before, { dueAtMs: 77 });
    expect(next).toEqual({ ...before, dueAtMs: 77, version: 2 });
  });
});

const line = fc.record({
  productId: fc.constantFrom('mug', 'coffee', 'grinder', '__proto__'),
  quantity: fc.integer({ min: 1, max: 10_000 }),
});
const lines = fc.array(line, { minLength: 1, maxLength: 20 });
const shuffledLines = lines.chain((original) =>
  fc.tuple(
    fc.constant(original),
    fc.shuffledSubarray(original, { minLength: original.length, maxLength: original.length }),
  ),
);

function quantityOf(all: readonly { productId: string; quantity: number }[], id: string): number {
  return all.reduce((sum, { productId, quantity }) => sum + (productId === id ? quantity : 0), 0);
}

describe('the lines of an order', () => {
  test('merging leaves one line for each product, with the sum of its quantities', () => {
    fc.assert(
      fc.property(lines, (original) => {
        const merged = mergeLines(original);
        const ids = merged.map(({ productId }) => productId);
        expect(ids).toEqual([...new Set(original.map(({ productId }) => productId))]);
        for (const id of ids) expect(quantityOf(merged, id)).toBe(quantityOf(original, id));
        expect(mergeLines(merged)).toEqual(merged);
      }),
    );
  });

  test('the same products and quantities are the same items in any order of lines', () => {
    fc.assert(
      fc.property(shuffledLines, ([original, shuffled]) => {
        expect(sameItems(mergeLines(original), mergeLines(shuffled))).toBe(true);
        expect(itemsFingerprint(mergeLines(original))).toBe(itemsFingerprint(mergeLines(shuffled)));
      }),
    );
  });

  test('lines that were never merged, as in an invalid order, compare in any order too', () => {
    fc.assert(
      fc.property(shuffledLines, ([original, shuffled]) => {
        expect(sameItems(original, shuffled)).toBe(true);
      }),
    );
  });

  test('another quantity or another product is another set of items', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 5 }), (original, more) => {
        const merged = mergeLines(original);
        const [first, ...others] = merged;
        if (first === undefined) return;
        const changed = [{ ...first, quantity: first.quantity + more }, ...others];
        expect(sameItems(merged, changed)).toBe(false);
        expect(sameItems(merged, others)).toBe(false);
        expect(sameItems(merged, [...merged, { productId: 'new', quantity: more }])).toBe(false);
      }),
    );
  });

  test('a price does not make other items', () => {
    const unpriced = [{ productId: 'mug', quantity: 1 }];
    expect(sameItems(unpriced, [{ ...unpriced[0]!, unitPrice: TOTAL }])).toBe(true);
  });

  test.each([
    [[1], false],
    [[10_000], false],
    [[10_000, 10_000], false],
    [[0], true],
    [[-1], true],
    [[10_001], true],
    [[1, 0, 1], true],
    [[], false],
  ])('quantities %j are bad: %s', (quantities, isBad) => {
    const lines = quantities.map((quantity, index) => ({
      productId: `p${String(index)}`,
      quantity,
    }));
    expect(hasBadQuantity(lines)).toBe(isBad);
  });

  test.each([
    [[5000, 5000], false],
    [[5000, 5001], true],
    [[10_001, -1], true],
  ])('quantities %j of one product, added up, are bad: %s', (quantities, isBad) => {
    const lines = quantities.map((quantity) => ({ productId: 'mug', quantity }));
    expect(hasBadQuantity(lines)).toBe(isBad);
  });

  test('one bad line is enough, wherever it stands', () => {
    fc.assert(
      fc.property(lines, fc.integer({ max: 0 }), fc.nat(), (drawn, quantity, position) => {
        // Small quantities, so that no sum of twenty lines is too large.
        const original = drawn.map((line) => ({ ...line, quantity: Math.min(line.quantity, 500) }));
        expect(hasBadQuantity(original)).toBe(false);
        const index = position % (original.length + 1);
        expect(hasBadQuantity(original.toSpliced(index, 0, { productId: 'mug', quantity }))).toBe(
          true,
        );
      }),
    );
  });
});
