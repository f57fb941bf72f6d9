import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  changeOrder,
  isFinal,
  LEGAL_MOVES,
  moveOrder,
  touchOrder,
} from '../../../../lib/orders/moves.ts';
import { ORDER_STATUSES, type Order, type OrderStatus } from '../../../../lib/orders/order.ts';
import { IllegalTransition } from '../../../../lib/platform/errors.ts';
import { ORDER_MOVES } from '../../../../torture/legal-moves.ts';

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

const FINAL: readonly OrderStatus[] = ['PAYMENT_DONE', 'INVALID', 'ORDER_CANCELLED'];

const TOTAL = { amount: 2598, currency: 'EUR' };
const MOVE = { reason: 'BECAUSE', at: '2026-03-01T12:00:00.000Z', by: 'user' as const };

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
  PENDING_PAYMENT: { dueAtMs: 3, heldRevision: 2, reservationExpiresAtMs: 9 },
  PAYMENT_IN_PROGRESS: {
    dueAtMs: 4,
    heldRevision: 2,
    reservationExpiresAtMs: 9,
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
  items: [{ productId: 'mug', quantity: 2, unitPrice: { amount: 1299, currency: 'EUR' } }],
  total: TOTAL,
  placedAs: 'items_1',
  payments: [],
  modification: { status: 'APPLIED', items: [] },
  modifications: 4,
  lastRequest: 'request_1',
  dueKeyMs: 1,
};

function orderIn(status: OrderStatus): Order {
  const history = [{ from: null, to: status, ...MOVE }];
  return {
    ...BASE,
    ...OWN_FIELDS[status],
    status,
    version: 1,
    writes: 4,
    history,
  } as unknown as Order;
}

function moveTo(order: Order, to: OrderStatus): Order {
  return moveOrder(order, to, OWN_FIELDS[to] as never, MOVE);
}

function isSpecified(from: OrderStatus, to: OrderStatus): boolean {
  return ORDER_MOVES.some(([left, right]) => left === from && right === to);
}

describe('the life of an order', () => {
  test('has nine statuses', () => {
    expect(ORDER_STATUSES).toEqual(STATUSES);
  });

  test('the table of legal moves is the one of the specification, no more and no less', () => {
    const coded = Object.entries(LEGAL_MOVES).flatMap(([from, tos]) =>
      tos.map((to) => `${from} → ${to}`),
    );
    expect(coded.toSorted()).toEqual(ORDER_MOVES.map(([from, to]) => `${from} → ${to}`).toSorted());
  });

  test.each(STATUSES)('%s is final exactly where the specification says so', (status) => {
    expect(isFinal(status)).toBe(FINAL.includes(status));
  });

  const pairs = STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const));

  test.each(pairs.filter(([from, to]) => isSpecified(from, to)))('%s can become %s', (from, to) => {
    expect(moveTo(orderIn(from), to)).toMatchObject({ status: to, version: 2, writes: 5 });
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
            expect(next.writes).toBe(before.writes + 1);
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
          const { version: _version, writes: _writes, history: _history, ...facts } = order;
          expect(facts).toEqual({ ...BASE, ...OWN_FIELDS[to], status: to });
        }
      }),
    );
  });

  test.each(ORDER_MOVES.filter(([from]) => from !== 'NEW'))(
    'a field that is new to orders survives the move from %s to %s',
    (from, to) => {
      const added = { tomorrow: 'kept', later: { nested: 1 } };
      const moved = moveTo({ ...orderIn(from as OrderStatus), ...added }, to);
      expect(moved).toMatchObject(added);
    },
  );

  test('a move changes revision and run only where it is told to', () => {
    fc.assert(
      fc.property(
        fc.record({ revision: fc.nat(), run: fc.nat() }, { requiredKeys: [] }),
        fc.constantFrom(...ORDER_MOVES.filter(([from]) => from !== 'NEW')),
        (told, [from, to]) => {
          const before = orderIn(from as OrderStatus);
          const next = moveOrder(before, to, { ...OWN_FIELDS[to], ...told } as never, MOVE);
          expect({ revision: next.revision, run: next.run }).toEqual({
            revision: 3,
            run: 2,
            ...told,
          });
        },
      ),
    );
  });

  test('another fact that a caller can see is a new version without a line of history', () => {
    const before = orderIn('PENDING_PAYMENT');
    const next = changeOrder(before, { modifications: 5 });
    expect(next).toEqual({ ...before, modifications: 5, version: 2, writes: 5 });
  });

  test('a fact that no caller can see is a counted write of the same version', () => {
    const before = orderIn('PENDING_PAYMENT');
    const next = touchOrder(before, { dueAtMs: 77 });
    expect(next).toEqual({ ...before, dueAtMs: 77, writes: 5 });
  });
});
