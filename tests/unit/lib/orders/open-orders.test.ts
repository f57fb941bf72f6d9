import { describe, expect, test } from 'vitest';
import { MAX_OPEN_ORDER_ENTRIES } from '../../../../lib/limits.ts';
import {
  type Admission,
  decideAdmission,
  IN_FLIGHT_MS,
  type OpenOrderEntry,
  ordersToRead,
} from '../../../../lib/orders/open-orders.ts';
import type { Order, OrderStatus } from '../../../../lib/orders/order.ts';
import { possibleItems } from '../../../../lib/orders/order-items.ts';
import { itemsKeyOf } from '../../../../lib/orders/order-service.ts';
import { NOW_MS, orderIn } from './fakes.ts';

const MUGS = [{ productId: 'mug', quantity: 2 }];
const CUPS = [{ productId: 'cup', quantity: 1 }];
const [MUG, CUP] = [itemsKeyOf(MUGS), itemsKeyOf(CUPS)];
const WINDOW_MS = 600_000;
const LONG_AGO_MS = NOW_MS - IN_FLIGHT_MS;

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
] as const;

/** An entry that is not in flight any more; orders have version 7. */
const entryOf = (orderId: string, changes: Partial<OpenOrderEntry> = {}): OpenOrderEntry => ({
  itemsKey: MUG,
  orderId,
  atMs: LONG_AGO_MS,
  version: 1,
  ...changes,
});

const NEW = entryOf('ord_new', { atMs: NOW_MS });
const place = (allowDuplicate = false): Admission => ({
  purpose: 'PLACE',
  entry: NEW,
  allowDuplicate,
});
const modify = (entry: OpenOrderEntry, heldItemsKey = MUG): Admission => ({
  purpose: 'MODIFY',
  entry,
  heldItemsKey,
});
const retry = (entry: OpenOrderEntry, heldItemsKey = MUG): Admission => ({
  purpose: 'RETRY',
  entry,
  heldItemsKey,
});

/** Decides over stored orders, of which only those that the decision asks for are read. */
function decide(
  entries: readonly OpenOrderEntry[],
  stored: readonly Order[],
  admission = place(),
  maxOpenOrders = 10,
  unreadable: readonly string[] = [],
) {
  const rules = { nowMs: NOW_MS, duplicateWindowMs: WINDOW_MS, maxOpenOrders };
  const seen = { version: 3, entries };
  const ids = ordersToRead(seen, admission, rules);
  const knownOf = (id: string) => {
    if (unreadable.includes(id)) return { order: undefined, itemsKeys: [] };
    const order = stored.find(({ orderId }) => orderId === id);
    return order && { order, itemsKeys: possibleItems(order).map(itemsKeyOf) };
  };
  const known = new Map(ids.map((id) => [id, knownOf(id)]));
  return decideAdmission(seen, known, admission, rules);
}

const stored = (status: OrderStatus, changes: object = {}): Order =>
  orderIn(status, { orderId: 'ord_1', items: MUGS, ...changes });

const entered = (...entries: readonly OpenOrderEntry[]) => ({ kind: 'ENTER', entries });

describe('an order of the same items that is', () => {
  test.each([
    ['CREATED', 'DUPLICATE'],
    ['PENDING_RESERVING_STOCK', 'DUPLICATE'],
    ['PENDING_PAYMENT', 'DUPLICATE'],
    ['PAYMENT_IN_PROGRESS', 'DUPLICATE'],
    ['PAYMENT_FAILED', 'DUPLICATE'],
    ['ORDER_FAILED', 'DUPLICATE'],
    ['PAYMENT_DONE', 'ENTER'],
    ['INVALID', 'ENTER'],
    ['ORDER_CANCELLED', 'ENTER'],
  ] as const)('%s: %s', (status, kind) => {
    for (const atMs of [LONG_AGO_MS, NOW_MS]) {
      expect(decide([entryOf('ord_1', { atMs })], [stored(status)]).kind).toBe(kind);
    }
    expect(decide([entryOf('ord_1')], [stored(status)], place(true)).kind).toBe('ENTER');
  });

  test.each([
    [0, 'DUPLICATE'],
    [WINDOW_MS - 1, 'DUPLICATE'],
    [WINDOW_MS, 'ENTER'],
    [86_400_000, 'ENTER'],
  ])('%i ms old: %s', (ageMs, kind) => {
    const first = stored('PENDING_PAYMENT', { createdAtMs: NOW_MS - ageMs });
    expect(decide([entryOf('ord_1')], [first]).kind).toBe(kind);
  });

  test('of other items by now is not in the way', () => {
    expect(decide([entryOf('ord_1')], [stored('PENDING_PAYMENT', { items: CUPS })])).toEqual(
      entered(entryOf('ord_1'), NEW),
    );
  });

  test('of other items, and about to have these, is in the way', () => {
    const modification = { status: 'PENDING', items: MUGS };
    const first = stored('PAYMENT_IN_PROGRESS', { items: CUPS, modification });
    expect(decide([entryOf('ord_1')], [first])).toEqual({ kind: 'DUPLICATE', first });
    const refused = stored('PENDING_PAYMENT', {
      items: CUPS,
      modification: { ...modification, status: 'REJECTED', code: 'OUT_OF_STOCK' },
    });
    expect(decide([entryOf('ord_1')], [refused]).kind).toBe('ENTER');
  });

  test('ORDER_FAILED for the last time is not in the way: it cannot be retried', () => {
    const kindAfter = (run: number) =>
      decide([entryOf('ord_1')], [stored('ORDER_FAILED', { run })]).kind;
    expect([kindAfter(39), kindAfter(40)]).toEqual(['DUPLICATE', 'ENTER']);
  });

  test('final gives its place up; one that is open, and no duplicate, keeps it', () => {
    expect(decide([entryOf('ord_1')], [stored('PAYMENT_DONE')])).toEqual(entered(NEW));
    const old = stored('PENDING_PAYMENT', { createdAtMs: NOW_MS - WINDOW_MS });
    expect(decide([entryOf('ord_1')], [old])).toEqual(entered(entryOf('ord_1'), NEW));
    const owed = stored('ORDER_CANCELLED', { releaseOwed: { revision: 3 }, dueAtMs: NOW_MS });
    expect(decide([entryOf('ord_1')], [owed])).toEqual(entered(entryOf('ord_1'), NEW));
  });

  test('allowed beside the first is in the way once the first is final', () => {
    const second = stored('PENDING_PAYMENT', { orderId: 'ord_2' });
    const entries = [entryOf('ord_1'), entryOf('ord_2')];
    expect(decide(entries, [stored('PAYMENT_DONE'), second])).toEqual({
      kind: 'DUPLICATE',
      first: second,
    });
  });
});

describe('an entry whose order is not stored', () => {
  test.each([
    [0, 'IN_FLIGHT'],
    [IN_FLIGHT_MS - 1, 'IN_FLIGHT'],
    [IN_FLIGHT_MS, 'ENTER'],
    [86_400_000, 'ENTER'],
  ])('is in the way of another order of its items after %i ms: %s', (ageMs, kind) => {
    expect(decide([entryOf('ord_1', { atMs: NOW_MS - ageMs })], []).kind).toBe(kind);
  });

  test('gives its place up once it is free', () => {
    expect(decide([entryOf('ord_1')], [])).toEqual(entered(NEW));
  });

  test.each([0, IN_FLIGHT_MS])('passes its own order after %i ms, renewed', (ageMs) => {
    expect(decide([entryOf('ord_new', { atMs: NOW_MS - ageMs })], [])).toEqual(entered(NEW));
  });

  test('passes its own order where all places are taken', () => {
    const others = [entryOf('ord_1', { itemsKey: CUP, atMs: NOW_MS }), entryOf('ord_new')];
    expect(decide(others, [], place(), 1)).toEqual(entered(others[0]!, NEW));
  });

  test('keeps the version of a write that is still to come', () => {
    expect(decide([entryOf('ord_new', { version: 9 })], [])).toEqual(
      entered({ ...NEW, version: 9 }),
    );
  });
});

test('an order that its key placed before is found, wherever its entry went', () => {
  const own = stored('PAYMENT_DONE', { orderId: 'ord_new' });
  expect(decide([entryOf('ord_1')], [own, stored('CREATED')])).toEqual({ kind: 'EXISTS' });
  expect(decide([entryOf('ord_1', { itemsKey: CUP })], [own], place(), 1).kind).toBe('EXISTS');
});

describe('a modification in flight', () => {
  /** The order has version 7, and the write that follows the entry gives it 8. */
  const inFlight = entryOf('ord_1', { atMs: NOW_MS, version: 8 });
  const former = entryOf('ord_1', { itemsKey: CUP });

  test.each([
    ['may still come', inFlight, 'IN_FLIGHT'],
    ['died with its process', { ...inFlight, atMs: LONG_AGO_MS }, 'ENTER'],
    ['lost against another write of the order', { ...inFlight, version: 7 }, 'ENTER'],
  ])('that %s: an order of the new items is %s', (_what, entry, kind) => {
    const order = stored('PENDING_PAYMENT', { items: CUPS });
    expect(decide([former, entry], [order]).kind).toBe(kind);
  });

  test('of an order that is too old is in nobody’s way', () => {
    const order = stored('PENDING_PAYMENT', { items: CUPS, createdAtMs: NOW_MS - WINDOW_MS });
    expect(decide([former, inFlight], [order]).kind).toBe('ENTER');
  });
});

describe('a modification', () => {
  const next = entryOf('ord_1', { itemsKey: CUP, atMs: NOW_MS, version: 8 });
  const order = stored('PENDING_PAYMENT');

  test('stands for the items that the order has, and for those that it may get', () => {
    const kept = entryOf('ord_2', { itemsKey: 'items_else' });
    expect(decide([entryOf('ord_1'), kept], [order], modify(next))).toEqual(
      entered(kept, entryOf('ord_1'), next),
    );
  });

  test('leaves earlier ones behind, unless they were entered just now', () => {
    const earlier = entryOf('ord_1', { itemsKey: 'items_earlier' });
    const justNow = entryOf('ord_1', { itemsKey: 'items_now', atMs: LONG_AGO_MS + 1 });
    expect(decide([entryOf('ord_1'), earlier, justNow], [order], modify(next))).toEqual(
      entered(entryOf('ord_1'), justNow, next),
    );
  });

  test('back to the same items renews their entry', () => {
    const same = { ...next, itemsKey: MUG };
    expect(decide([entryOf('ord_1')], [order], modify(same))).toEqual(entered(same));
  });

  test('to items that another order has is as its user wants it', () => {
    const other = entryOf('ord_2', { itemsKey: CUP });
    expect(decide([entryOf('ord_1'), other], [order], modify(next))).toEqual(
      entered(other, entryOf('ord_1'), next),
    );
  });

  test('needs no place of its own', () => {
    const others = [stored('CREATED', { orderId: 'ord_2' })];
    expect(
      decide([entryOf('ord_1'), entryOf('ord_2')], [order, ...others], modify(next), 1).kind,
    ).toBe('ENTER');
  });
});

describe('a full item', () => {
  const other = entryOf('ord_1', { itemsKey: CUP });

  /** By hand: does an order in this status hold stock? With `owed`, its stock is not given back yet. */
  const OPEN: Readonly<Record<OrderStatus, readonly [atRest: boolean, owed: boolean]>> = {
    CREATED: [true, true],
    PENDING_RESERVING_STOCK: [true, true],
    PENDING_PAYMENT: [true, true],
    PAYMENT_IN_PROGRESS: [true, true],
    PAYMENT_DONE: [false, false],
    PAYMENT_FAILED: [false, true],
    ORDER_FAILED: [false, true],
    INVALID: [false, true],
    ORDER_CANCELLED: [false, true],
  };

  test.each(STATUSES)('with an order that is %s', (status) => {
    const [isOpen, isOpenWhileOwed] = OPEN[status];
    for (const atMs of [LONG_AGO_MS, NOW_MS]) {
      const entry = { ...other, atMs };
      const at = (changes: object) =>
        decide([entry], [stored(status, { items: CUPS, ...changes })], place(), 1);
      const full = { kind: 'FULL', open: [{ orderId: 'ord_1', status }] };
      if (isOpen) expect(at({})).toEqual(full);
      else expect(at({}).kind).toBe('ENTER');
      if (isOpenWhileOwed) expect(at({ releaseOwed: { revision: 3 } })).toEqual(full);
    }
  });

  test.each(STATUSES)('takes a modified order that is %s only once', (status) => {
    const entries = [other, entryOf('ord_1', { itemsKey: 'items_b' })];
    const { kind } = decide(entries, [stored(status, { items: CUPS })], place(), 2);
    expect(kind).toBe('ENTER');
  });

  test.each([
    ['is not stored yet', undefined, 1, NOW_MS, 'FULL'],
    ['was never stored', undefined, 1, LONG_AGO_MS, 'ENTER'],
    ['failed and is being retried', stored('ORDER_FAILED'), 8, NOW_MS, 'FULL'],
    ['failed and was never retried', stored('ORDER_FAILED'), 8, LONG_AGO_MS, 'ENTER'],
    ['failed again since', stored('ORDER_FAILED'), 7, NOW_MS, 'ENTER'],
    ['is being paid again', stored('PAYMENT_FAILED'), 8, LONG_AGO_MS + 1, 'FULL'],
  ] as const)('with an order that %s', (_what, order, version, atMs, kind) => {
    const entry = { ...other, atMs, version };
    const decided = decide([entry], order === undefined ? [] : [order], place(), 1);
    expect(decided.kind).toBe(kind);
    if (decided.kind === 'FULL') {
      expect(decided.open).toEqual([{ orderId: 'ord_1', status: order?.status ?? null }]);
    }
  });

  test.each(STATUSES)('keeps an entry of the last minute, though its order is %s', (status) => {
    const entry = { ...other, atMs: LONG_AGO_MS + 1 };
    const order = stored(status, { items: CUPS });
    const third = entryOf('ord_3', { itemsKey: 'items_c' });
    const decided = decide([entry, third], [order], place(), 2);
    expect(decided).toEqual(entered(entry, NEW));
  });

  test('forgets what is final, never came, or failed before the window', () => {
    const entries = ['ord_1', 'ord_2', 'ord_3', 'ord_4'].map((id) =>
      entryOf(id, { itemsKey: `items_${id}` }),
    );
    const old = { createdAtMs: NOW_MS - WINDOW_MS };
    const decided = decide(
      entries,
      [
        stored('PAYMENT_DONE'),
        stored('ORDER_FAILED', { orderId: 'ord_3', ...old }),
        stored('PAYMENT_FAILED', { orderId: 'ord_4', ...old }),
      ],
      place(),
      4,
    );
    expect(decided).toEqual(entered(NEW));
  });

  test.each(['ORDER_FAILED', 'PAYMENT_FAILED'] as const)(
    'keeps the guard of an order that is %s, beside the limit',
    (status) => {
      const failed = stored(status, { items: CUPS });
      expect(decide([other], [failed], place(), 1)).toEqual(entered(other, NEW));
      const again: Admission = { ...place(), entry: { ...NEW, itemsKey: CUP } };
      expect(decide([other], [failed], again, 1)).toEqual({ kind: 'DUPLICATE', first: failed });
    },
  );

  test('forgets the former items of a modified order, never the order', () => {
    const former = entryOf('ord_1', { itemsKey: 'items_former' });
    const order = stored('PENDING_PAYMENT', { items: CUPS });
    expect(decide([former, other], [order], place(), 2)).toEqual(entered(other, NEW));
    expect(decide([former, entryOf('ord_9')], [order], place(true), 2)).toEqual(
      entered(former, NEW),
    );
  });

  test('refuses a retry, and counts the order that is retried for itself only', () => {
    const failed = stored('ORDER_FAILED', { orderId: 'ord_2' });
    const again = entryOf('ord_2', { atMs: NOW_MS, version: 8 });
    const open = stored('CREATED', { items: CUPS });
    const entries = [other, entryOf('ord_2')];
    expect(decide(entries, [open, failed], retry(again), 1)).toEqual({
      kind: 'FULL',
      open: [{ orderId: 'ord_1', status: 'CREATED' }],
    });
    expect(decide(entries, [open, failed], retry(again), 2)).toEqual(entered(other, again));
  });

  test('never refuses a retry that no order was seen for', () => {
    const again = entryOf('ord_2', { atMs: NOW_MS, version: 8 });
    expect(decide([other], [], retry(again))).toEqual(entered(other, again));
  });
});

describe('the entries of one user', () => {
  const many = (count: number, changes: Partial<OpenOrderEntry> = {}) =>
    Array.from({ length: count }, (_none, index) =>
      entryOf(`ord_${String(index)}`, { itemsKey: `items_${String(index)}`, ...changes }),
    );
  const allAs = (status: OrderStatus, entries: readonly OpenOrderEntry[]) =>
    entries.map(({ orderId }) => stored(status, { orderId, items: CUPS }));

  test('are no more than the limit, whatever happens within a minute', () => {
    const entries = many(MAX_OPEN_ORDER_ENTRIES, { atMs: NOW_MS });
    for (const admission of [place(), modify(NEW), retry(NEW)]) {
      expect(decide(entries, allAs('PAYMENT_DONE', entries), admission)).toEqual({
        kind: 'TOO_FAST',
      });
    }
    expect(decide(entries.slice(1), allAs('PAYMENT_DONE', entries)).kind).toBe('ENTER');
  });

  test('lose the oldest guards of failed orders first', () => {
    const failed = many(MAX_OPEN_ORDER_ENTRIES, { itemsKey: CUP });
    const decided = decide(failed, allAs('ORDER_FAILED', failed));
    expect(decided).toEqual(entered(...failed.slice(1), NEW));
  });
});

describe('the orders that are read', () => {
  const seen = {
    version: 1,
    entries: [entryOf('ord_1'), entryOf('ord_2', { itemsKey: CUP }), entryOf('ord_3')],
  };
  const rules = { nowMs: NOW_MS, duplicateWindowMs: WINDOW_MS, maxOpenOrders: 4 };

  test.each([
    ['of a new order: those of its items, and itself', place(), 4, ['ord_1', 'ord_3', 'ord_new']],
    ['of one that may be a duplicate: itself', place(true), 4, ['ord_new']],
    ['of a retry: none', retry(NEW), 4, []],
    ['of a modification: none', modify(NEW), 4, []],
    ['of a full item: all', place(true), 3, ['ord_1', 'ord_2', 'ord_3', 'ord_new']],
    ['of a retry in a full item: all', retry(NEW), 3, ['ord_1', 'ord_2', 'ord_3']],
  ])('%s', (_what, admission, maxOpenOrders, ids) => {
    expect(ordersToRead(seen, admission, { ...rules, maxOpenOrders })).toEqual(ids);
  });
});

describe('an order that cannot be read', () => {
  const first = entryOf('ord_1');
  const decideBeside = (admission: Admission, maxOpenOrders?: number) =>
    decide([first], [], admission, maxOpenOrders, ['ord_1']);

  test('is no duplicate of another one of the same items', () => {
    expect(decideBeside(place())).toEqual(entered(first, NEW));
  });

  test('is no order in flight, however new its entry', () => {
    const recent = entryOf('ord_1', { atMs: NOW_MS });
    expect(decide([recent], [], place(), 10, ['ord_1'])).toEqual(entered(recent, NEW));
  });

  test('takes its place, and is named', () => {
    expect(decideBeside(place(true), 1)).toEqual({
      kind: 'FULL',
      open: [{ orderId: 'ord_1', status: null }],
    });
    expect(decideBeside(place(), 1)).toMatchObject({ kind: 'FULL' });
  });

  test('keeps its entries where the item is full', () => {
    const change = entryOf('ord_2', { itemsKey: CUP, atMs: NOW_MS });
    const entries = [first, entryOf('ord_1', { itemsKey: CUP }), entryOf('ord_2')];
    const order = orderIn('PENDING_PAYMENT', { orderId: 'ord_2', items: MUGS });
    expect(decide(entries, [order], modify(change), 2, ['ord_1'])).toEqual(
      entered(first, entryOf('ord_1', { itemsKey: CUP }), entryOf('ord_2'), change),
    );
  });
});
