import { MAX_OPEN_ORDER_ENTRIES, MAX_USER_RUNS_PER_ORDER } from '../limits.ts';
import { assertNever } from '../platform/errors.ts';
import { isFinal } from './moves.ts';
import type { Order } from './order.ts';

/*
 * A user's open orders: duplicate guard and cap in one (specification, sections 2 and 3). Pure decisions; the
 * repository writes them on condition that the item is still as it was seen.
 *
 * An entry is written before the order's own write, so between the two it stands alone:
 *
 *   request 1   enters (items, ord_1) ──> writes ord_1
 *   request 2                         │   enters (items, ord_2): refused, ord_1 is in flight
 *
 * If request 1 dies there, its entry is in flight for IN_FLIGHT_MS and means nothing afterwards. No path gives
 * a place back: entries are judged by their orders when the item is full.
 */

/**
 * Time for which an entry stands without its order's write. Every function that enters orders ends sooner, with
 * time to spare for clocks that differ: tests/contract/functions.test.ts compares it with their time-outs.
 */
export const IN_FLIGHT_MS = 60_000;

/** Names an order of these items. A modified order has an entry for each set of items that it may end with. */
export interface OpenOrderEntry {
  /** Digest of the items. */
  readonly itemsKey: string;
  readonly orderId: string;
  /** Time of the entry's latest write. */
  readonly atMs: number;
  /**
   * Version that the order gets by the write that follows the entry. That write is conditional on the order's
   * `writes`, which rise with each version: it can still come only while the order has a lower version.
   */
  readonly version: number;
}

/** A user's item, its entries oldest first. */
export interface OpenOrders {
  /** Counts the writes of the item; 0 if it is not stored yet. */
  readonly version: number;
  readonly entries: readonly OpenOrderEntry[];
}

/** Request to enter an order before its write. */
export type Admission = FirstAdmission | LaterAdmission;

/** Of a new order. */
interface FirstAdmission {
  readonly purpose: 'PLACE';
  readonly entry: OpenOrderEntry;
  /** True to place the order beside another one of the same items. */
  readonly allowDuplicate: boolean;
}

/** Of a stored order: it is retried, or its payment is, or it is modified. */
interface LaterAdmission {
  readonly purpose: 'RETRY' | 'MODIFY';
  readonly entry: OpenOrderEntry;
  /** Digest of the items that the order has now. */
  readonly heldItemsKey: string;
}

export interface AdmissionRules {
  readonly nowMs: number;
  readonly duplicateWindowMs: number;
  readonly maxOpenOrders: number;
}

export type AdmissionDecision =
  | { readonly kind: 'ENTER'; readonly entries: readonly OpenOrderEntry[] }
  /** The order is stored already: the request is repeated. */
  | { readonly kind: 'EXISTS' }
  | { readonly kind: 'DUPLICATE'; readonly first: Order }
  /** Another order of these items is entered, and its write may still come. */
  | { readonly kind: 'IN_FLIGHT'; readonly orderId: string }
  | { readonly kind: 'FULL'; readonly open: readonly OpenOrderName[] }
  /** There is no room for the entry until others are older than IN_FLIGHT_MS. */
  | { readonly kind: 'TOO_FAST' };

interface OpenOrderName {
  readonly orderId: string;
  /** null if the order is not stored yet, or cannot be read. */
  readonly status: Order['status'] | null;
}

export interface KnownOrder {
  /** Undefined if it cannot be read: for all one knows it holds stock, and it is in the way of no other order. */
  readonly order: Order | undefined;
  /** Digests of all items that the order may come to; none of an order that cannot be read. */
  readonly itemsKeys: readonly string[];
}

/** Orders by id, as read after the item was seen; undefined if the order is not stored. */
export type KnownOrders = ReadonlyMap<string, KnownOrder | undefined>;

/** Ids of the orders that a decision needs: all if the item is full, else those of the same items. */
export function ordersToRead(
  { entries }: OpenOrders,
  admission: Admission,
  { maxOpenOrders }: AdmissionRules,
): readonly string[] {
  const { entry } = admission;
  const ids = new Set<string>();
  for (const { orderId, itemsKey } of entries) {
    const mayBeDuplicate = isGuarded(admission) && itemsKey === entry.itemsKey;
    if (mayBeDuplicate || entries.length >= maxOpenOrders) ids.add(orderId);
  }
  // The key of a repeated request may have placed its order long ago.
  if (admission.purpose === 'PLACE') ids.add(entry.orderId);
  return [...ids];
}

/**
 * Decides on a request to enter an order.
 * @param known the orders that `ordersToRead` names.
 */
export function decideAdmission(
  seen: OpenOrders,
  known: KnownOrders,
  admission: Admission,
  rules: AdmissionRules,
): AdmissionDecision {
  const { purpose, entry } = admission;
  const { orderId, itemsKey } = entry;
  const own = seen.entries.filter((one) => one.orderId === orderId);
  const others = seen.entries.filter((one) => one.orderId !== orderId);
  const isRepeated = purpose === 'PLACE' && own.some((one) => one.itemsKey === itemsKey);
  if (purpose === 'PLACE' && !isRepeated) {
    if (known.get(orderId) !== undefined) return { kind: 'EXISTS' };
    const refusal = isGuarded(admission) ? duplicateAmong(others, known, entry, rules) : undefined;
    if (refusal !== undefined) return refusal;
  }
  const isFull = seen.entries.length >= rules.maxOpenOrders;
  if (isFull && purpose !== 'MODIFY' && !isRepeated) {
    const open = openAmong(others, known, rules);
    if (open.length >= rules.maxOpenOrders) return { kind: 'FULL', open };
  }
  const kept = isFull
    ? withoutIdle(others, known, rules)
    : others.filter((one) => one.itemsKey !== itemsKey || !isOver(one, known, rules));
  const entries = [...kept, ...ownAfter(own, admission, rules)];
  const surplus = entries.length - MAX_OPEN_ORDER_ENTRIES;
  if (surplus <= 0) return { kind: 'ENTER', entries };
  // Guards of failed orders only warn. The oldest give way, so that the item cannot grow without end.
  const warning = kept
    .filter((one) => !isRecent(one, rules) && standingOf(one, known, rules) === 'WARNS')
    .slice(0, surplus);
  return warning.length < surplus
    ? { kind: 'TOO_FAST' }
    : { kind: 'ENTER', entries: entries.filter((one) => !warning.includes(one)) };
}

/** True if another order of the same items is in the way. */
function isGuarded(admission: Admission): boolean {
  return admission.purpose === 'PLACE' && !admission.allowDuplicate;
}

/** The refusal of an order as a duplicate; one that is stored comes before one in flight. */
function duplicateAmong(
  others: readonly OpenOrderEntry[],
  known: KnownOrders,
  { itemsKey }: OpenOrderEntry,
  rules: AdmissionRules,
): AdmissionDecision | undefined {
  let inFlight: AdmissionDecision | undefined;
  for (const one of others) {
    if (one.itemsKey !== itemsKey) continue;
    const found = known.get(one.orderId);
    const first = found?.order;
    if (found !== undefined && (first === undefined || !warnsOfDuplicates(first, rules))) continue;
    if (first !== undefined && hasItemsOf(one, known)) return { kind: 'DUPLICATE', first };
    if (isInFlight(one, known, rules)) inFlight = { kind: 'IN_FLIGHT', orderId: one.orderId };
  }
  return inFlight;
}

/** Orders that count for the cap, each once. */
function openAmong(
  entries: readonly OpenOrderEntry[],
  known: KnownOrders,
  rules: AdmissionRules,
): readonly OpenOrderName[] {
  const open = new Map<string, OpenOrderName>();
  for (const one of entries) {
    if (standingOf(one, known, rules) !== 'COUNTS') continue;
    const { orderId } = one;
    open.set(orderId, { orderId, status: known.get(orderId)?.order?.status ?? null });
  }
  return [...open.values()];
}

/** Entries without those that name nothing any more. */
function withoutIdle(
  entries: readonly OpenOrderEntry[],
  known: KnownOrders,
  rules: AdmissionRules,
): OpenOrderEntry[] {
  return entries.filter((one) => {
    const standing = standingOf(one, known, rules);
    if (isRecent(one, rules) || standing === 'WARNS') return true;
    const isAlone = () =>
      !entries.some((other) => other.orderId === one.orderId && hasItemsOf(other, known));
    // The former items of a modified order; it keeps the entry of the present ones.
    return standing === 'COUNTS' && (hasItemsOf(one, known) || isAlone());
  });
}

/** Entries of the order itself once it is entered: its new one, and those that may still be right. */
function ownAfter(
  own: readonly OpenOrderEntry[],
  admission: Admission,
  rules: AdmissionRules,
): OpenOrderEntry[] {
  const { entry } = admission;
  const same = own.find((one) => one.itemsKey === entry.itemsKey);
  const others = own.filter(
    (one) =>
      one !== same &&
      (admission.purpose === 'PLACE' ||
        one.itemsKey === admission.heldItemsKey ||
        isRecent(one, rules)),
  );
  return [...others, { ...entry, version: Math.max(entry.version, same?.version ?? 0) }];
}

/**
 * COUNTS: the order holds stock, is about to, cannot be read, or may be entered at this moment. WARNS: it failed or may be paid
 * again, and is only in the way of duplicates. IDLE: it is in nobody's way.
 */
type Standing = 'COUNTS' | 'WARNS' | 'IDLE';

function standingOf(one: OpenOrderEntry, known: KnownOrders, rules: AdmissionRules): Standing {
  if (isInFlight(one, known, rules)) return 'COUNTS';
  const found = known.get(one.orderId);
  if (found === undefined) return 'IDLE';
  const { order } = found;
  if (order === undefined || holdsStock(order)) return 'COUNTS';
  return warnsOfDuplicates(order, rules) && hasItemsOf(one, known) ? 'WARNS' : 'IDLE';
}

/** True if the order's write for which the entry was made may still come. */
function isInFlight(one: OpenOrderEntry, known: KnownOrders, rules: AdmissionRules): boolean {
  return isRecent(one, rules) && (known.get(one.orderId)?.order?.version ?? 0) < one.version;
}

function isRecent({ atMs }: OpenOrderEntry, { nowMs }: AdmissionRules): boolean {
  return nowMs - atMs < IN_FLIGHT_MS;
}

/** True if another order of these items may take the entry's place: its order is final or never came. */
function isOver(one: OpenOrderEntry, known: KnownOrders, rules: AdmissionRules): boolean {
  if (!known.has(one.orderId)) return false;
  const found = known.get(one.orderId);
  if (found === undefined) return !isRecent(one, rules);
  const { order } = found;
  return order !== undefined && isFinal(order.status) && !holdsStock(order);
}

/** An unpaid order that holds stock, or is about to; also one whose stock is not given back yet. */
export function holdsStock(order: Order): boolean {
  switch (order.status) {
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
    case 'PENDING_PAYMENT':
    case 'PAYMENT_IN_PROGRESS':
      return true;
    case 'PAYMENT_FAILED':
    case 'ORDER_FAILED':
    case 'INVALID':
    case 'ORDER_CANCELLED':
      return order.releaseOwed !== undefined;
    case 'PAYMENT_DONE':
      return false;
    default:
      return assertNever(order);
  }
}

/** True if the order is neither final nor too old for the duplicate guard, and can still come to something. */
function warnsOfDuplicates(order: Order, { nowMs, duplicateWindowMs }: AdmissionRules): boolean {
  const isLost = order.status === 'ORDER_FAILED' && order.run >= MAX_USER_RUNS_PER_ORDER;
  return !isFinal(order.status) && !isLost && nowMs - order.createdAtMs < duplicateWindowMs;
}

function hasItemsOf({ orderId, itemsKey }: OpenOrderEntry, known: KnownOrders): boolean {
  return known.get(orderId)?.itemsKeys.includes(itemsKey) === true;
}
