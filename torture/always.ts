import type { CarriedOut } from '../local/dynamodb/memory-dynamodb.ts';
import type { Item } from '../local/dynamodb/values.ts';
import { isDirect } from './direct-orders.ts';
import type { Invocation } from './world/effect-log.ts';
import type {
  Snapshot,
  StoredMethod,
  StoredOpenOrders,
  StoredOrder,
  StoredPayment,
  StoredProduct,
  StoredReservation,
} from './world/snapshot.ts';

/**
 * Invariants that hold between any two effects, not only at rest. They are pure functions over the stored
 * state, so a run can check them at any time.
 */

export type StoredNow = Pick<
  Snapshot,
  'orders' | 'openOrders' | 'payments' | 'methods' | 'products' | 'reservations' | 'charges'
>;

export interface AlwaysLimits {
  /** Time by which a hold outlasts the time to pay, so that no payment loses its stock. */
  readonly allowanceMs: number;
  /** Open orders of one user. */
  readonly maxOpenOrders: number;
  /** Pieces in one order of a product that has no limit of its own. */
  readonly defaultMaxPerOrder: number;
}

/** Statuses in which the system owes the next move: in these, `due` is never merely cleared. */
const OWED = ['CREATED', 'PENDING_RESERVING_STOCK', 'PENDING_PAYMENT', 'PAYMENT_IN_PROGRESS'];
const OPEN = ['INITIATED', 'PENDING'];

/** Violations at this moment; each message begins with the promise's number. */
export function brokenAlways(
  stored: StoredNow,
  nowMs: number,
  { allowanceMs, maxOpenOrders }: AlwaysLimits,
): string[] {
  const reservations = new Map(stored.reservations.map((one) => [one.orderId, one]));
  const payments = new Map(stored.payments.map((one) => [one.paymentId, one]));
  const orders = new Map(stored.orders.map((one) => [one.orderId, one]));
  return [
    ...stored.products.flatMap((product) => brokenStock(product, stored.reservations)),
    ...tooManyOpen(stored.orders, maxOpenOrders),
    ...stored.openOrders.flatMap(miscounted),
    ...stored.methods.flatMap((method) => keptForGood(method, nowMs)),
    ...stored.reservations.flatMap((one) => heldForNothing(one, orders.get(one.orderId))),
    ...stored.orders.flatMap((order) => [
      ...notDue(order),
      ...notEntered(order, stored.openOrders),
      ...hidden(
        order,
        stored.payments.filter(({ orderId }) => orderId === order.orderId),
      ),
      ...unpaidPayment(order, payments.get(order.paymentId ?? '')),
      ...brokenHold(order, reservations.get(order.orderId), nowMs, allowanceMs),
      ...brokenSale(order, payments.get(order.paymentId ?? ''), reservations.get(order.orderId)),
    ]),
    ...stored.payments.flatMap((payment) => {
      const charges = stored.charges.get(payment.orderId) ?? [];
      const charge = charges.find(({ paymentId }) => paymentId === payment.paymentId);
      return [
        ...strayPayment(payment),
        ...methodLost(payment, stored.methods),
        ...keptMoney(payment, orders.get(payment.orderId)),
        ...forgottenCharge(payment, charge?.status),
      ];
    }),
  ];
}

/** The database removes a payment method's token when its time is up. */
function keptForGood({ pk, ttl }: StoredMethod, nowMs: number): string[] {
  const aWeekSeconds = 7 * 86_400;
  return ttl <= nowMs / 1000 + aWeekSeconds ? [] : [`P5: ${pk} is kept for good`];
}

/** P4: what an open payment is to be charged with is kept before the payment is. */
function methodLost(
  { paymentId, status, methodId }: StoredPayment,
  methods: readonly StoredMethod[],
): string[] {
  const isOpen = status === 'INITIATED' || status === 'PENDING';
  const isKept = methods.some(
    ({ pk, token }) => pk === `METHOD#${String(methodId)}` && token !== undefined,
  );
  return isOpen && !isKept ? [`P4: ${paymentId} is open, and nobody knows its method`] : [];
}

/** P1: stock adds up, and the counters are the sums of the reservations, because one transaction changes both. */
function brokenStock(product: StoredProduct, reservations: readonly StoredReservation[]): string[] {
  const { productId, available, reserved, sold, received } = product;
  const pieces = (status: string) =>
    reservations
      .filter((reservation) => reservation.status === status)
      .flatMap(({ lines = [] }) => lines)
      .filter((line) => line.productId === productId)
      .reduce((sum, { quantity }) => sum + quantity, 0);
  const isBalanced =
    available >= 0 &&
    available + reserved + sold === received &&
    reserved === pieces('HELD') &&
    sold === pieces('CONFIRMED');
  const numbers = { available, reserved, sold, received };
  return isBalanced ? [] : [`P1: the stock of ${productId} is ${JSON.stringify(numbers)}`];
}

/** P5: an order that holds stock moves on by itself, or owes the stock back. */
function heldForNothing(
  { orderId, status }: StoredReservation,
  order: StoredOrder | undefined,
): string[] {
  if (status !== 'HELD' || isDirect(orderId)) return [];
  if (order !== undefined && (OWED.includes(order.status) || order.releaseOwed !== undefined)) {
    return [];
  }
  const what = order?.status ?? 'not there';
  return [`P5: the stock of ${orderId} is held, and the order is ${what} and owes nothing`];
}

/** P8, the cap: no user has more unpaid orders on their way than one may have. Operators redrive none here. */
function tooManyOpen(orders: readonly StoredOrder[], maxOpenOrders: number): string[] {
  const open = Map.groupBy(
    orders.filter(({ status }) => OWED.includes(status)),
    ({ userId }) => userId,
  );
  return [...open].flatMap(([userId, { length }]) =>
    length <= maxOpenOrders
      ? []
      : [`P8: ${userId} has ${String(length)} open orders, more than ${String(maxOpenOrders)}`],
  );
}

/** The cap counts by `entryCount`. */
function miscounted(item: StoredOpenOrders): string[] {
  const count = entriesOf(item).length;
  return count === item.entryCount
    ? []
    : [`P6: ${item.pk} has ${String(count)} entries, and counts ${String(item.entryCount)}`];
}

/** P4: an order that is on its way is one of its user's open orders, by which the next one is judged. */
function notEntered(
  { orderId, userId, status }: StoredOrder,
  openOrders: readonly StoredOpenOrders[],
): string[] {
  if (!OWED.includes(status)) return [];
  const own = openOrders.find(({ pk }) => pk === `USER#${userId}`);
  const isEntered = own !== undefined && entriesOf(own).includes(orderId);
  return isEntered ? [] : [`P4: ${orderId} is ${status} and not among the open orders`];
}

/**
 * Checks the writes of one transaction. P8: no order takes more pieces of a product than one order may have. It keeps
 * what it has if the limit is lowered.
 */
export function tooManyPieces(
  writes: readonly CarriedOut[],
  { products }: Pick<StoredNow, 'products'>,
  { defaultMaxPerOrder }: Pick<AlwaysLimits, 'defaultMaxPerOrder'>,
): string[] {
  return writes
    .filter(({ after }) => after?.['type']?.S === 'RESERVATION')
    .flatMap(({ before, after }) =>
      products
        .filter(({ productId, maxPerOrder = defaultMaxPerOrder }) => {
          const pieces = piecesOf(after, productId);
          return pieces > maxPerOrder && pieces > piecesOf(before, productId);
        })
        .map(
          ({ productId }) =>
            `P8: ${after?.['orderId']?.S ?? ''} takes ${String(piecesOf(after, productId))} of ${productId}`,
        ),
    );
}

/** Pieces of a product in a stored reservation. */
function piecesOf(reservation: CarriedOut['after'], productId: string): number {
  return (reservation?.['lines']?.L ?? [])
    .filter(({ M: line }) => line?.['productId']?.S === productId)
    .reduce((sum, { M: line }) => sum + Number(line?.['quantity']?.N), 0);
}

/** By hand: longer than any handler lives. */
const ENTRY_STANDS_MS = 60_000;
const FINAL = ['PAYMENT_DONE', 'INVALID', 'ORDER_CANCELLED'];

/** P4: the write that an entry announces may still come, so no other order takes the entry away. */
export function brokenEntries(
  writes: readonly CarriedOut[],
  { orders }: Pick<StoredNow, 'orders'>,
  nowMs: number,
): string[] {
  return writes
    .filter(({ after }) => after?.['type']?.S === 'OPEN_ORDERS')
    .flatMap(({ before, after }) => {
      const kept = storedEntries(after);
      return storedEntries(before).flatMap(({ id, orderId, atMs }) => {
        const isKept = kept.some((one) => one.id === id);
        const order = orders.find((one) => one.orderId === orderId);
        const mayGo = nowMs - atMs >= ENTRY_STANDS_MS || FINAL.includes(order?.status ?? '');
        return isKept || mayGo ? [] : [`P4: the entry ${id} is dropped too soon`];
      });
    });
}

/** Entries of a stored item. */
function storedEntries(item: CarriedOut['after']) {
  return Object.entries(item ?? {}).flatMap(([name, entry]) => {
    if (!name.startsWith('items_')) return [];
    const orderId = entry.M?.['orderId']?.S ?? '';
    const [itemsKey = ''] = name.split('#');
    return [{ id: `${itemsKey}#${orderId}`, orderId, atMs: Number(entry.M?.['atMs']?.N) }];
  });
}

/** Ids of the orders that a user's item names. */
function entriesOf(item: StoredOpenOrders): string[] {
  return Object.entries(item).flatMap(([name, entry]) =>
    name.startsWith('items_') ? [(entry as unknown as { orderId: string }).orderId] : [],
  );
}

/** P5, the outbox: an order with an owed move has a due time, by which the dispatcher finds it. */
function notDue({ orderId, status, dueAtMs }: StoredOrder): string[] {
  if (!OWED.includes(status) || dueAtMs !== undefined) return [];
  return [`P5: ${orderId} is ${status} and not due`];
}

/**
 * P5: the outbox's index holds what owes something, no later than the earliest of its debts: the order's own move,
 * and each payment's void or refund. Else the dispatcher would not find it in time.
 */
function hidden(
  { orderId, status, dueAtMs, dueKeyMs }: StoredOrder,
  payments: readonly StoredPayment[],
): string[] {
  const debts = payments.flatMap(({ refundOwed, voidOwed }) => [refundOwed, voidOwed]);
  const times = [dueAtMs, ...debts.flatMap((debt) => (debt === undefined ? [] : [debt.dueAtMs]))];
  const owed = times.filter((timeMs) => timeMs !== undefined);
  const isRight =
    owed.length === 0
      ? dueKeyMs === undefined
      : dueKeyMs !== undefined && owed.every((timeMs) => dueKeyMs <= timeMs);
  if (isRight) return [];
  const where = dueKeyMs === undefined ? 'not there' : `there at ${String(dueKeyMs)}`;
  return [`P5: ${orderId} is ${status}, owes ${owed.join(', ')}, and is ${where} in the outbox`];
}

/** P4: the id of a payment leads to its order. */
function strayPayment({ paymentId, orderId }: StoredPayment): string[] {
  const isRight = paymentId.split('_')[1] === orderId.split('_')[1];
  return isRight ? [] : [`P4: ${paymentId} does not lead to ${orderId}`];
}

/** P4: one write creates an order's payment and changes the order's status. */
function unpaidPayment({ orderId, status }: StoredOrder, payment: StoredPayment | undefined) {
  if (status !== 'PAYMENT_IN_PROGRESS' || payment !== undefined) return [];
  return [`P4: ${orderId} is being paid, and there is no payment`];
}

/** The stock of a waiting order is held for the time that the user was promised, and for a payment begun then. */
function brokenHold(
  order: StoredOrder,
  held: StoredReservation | undefined,
  nowMs: number,
  allowanceMs: number,
): string[] {
  const { orderId, status, items, heldRevision, reservationExpiresAtMs = 0 } = order;
  if (status !== 'PENDING_PAYMENT' || nowMs >= reservationExpiresAtMs) return [];
  const isHeld =
    held?.status === 'HELD' &&
    held.revision === heldRevision &&
    linesOf(held.lines) === linesOf(items) &&
    (held.expiresAtMs ?? 0) >= reservationExpiresAtMs + allowanceMs;
  return isHeld ? [] : [`P5: ${orderId} waits for its payment, and its stock is not held for it`];
}

/** P3, in the direction that always holds: a paid order has its stock. */
function brokenSale(
  { orderId, status, paymentId, items, total }: StoredOrder,
  payment: StoredPayment | undefined,
  sold: StoredReservation | undefined,
): string[] {
  if (status !== 'PAYMENT_DONE') return [];
  const isPaid =
    payment?.status === 'CAPTURED' &&
    payment.refundOwed === undefined &&
    payment.amount.amount === total?.amount;
  const isSold =
    sold?.status === 'CONFIRMED' &&
    sold.paymentId === paymentId &&
    sold.revision === payment?.revision &&
    linesOf(sold.lines) === linesOf(items);
  return isPaid && isSold ? [] : [`P3: ${orderId} is PAYMENT_DONE and not paid, or not sold`];
}

function linesOf(lines: StoredReservation['lines'] = []): string {
  return lines
    .map(({ productId, quantity }) => `${productId} ${String(quantity)}`)
    .sort()
    .join();
}

/** P2: only its own order keeps captured money; otherwise the same write records the owed refund. */
function keptMoney(
  { paymentId, status, refundOwed }: StoredPayment,
  order: StoredOrder | undefined,
): string[] {
  if (status !== 'CAPTURED' || refundOwed !== undefined) return [];
  const mayKeep = ['PENDING_RESERVING_STOCK', 'PAYMENT_IN_PROGRESS', 'PAYMENT_DONE'];
  if (order?.paymentId === paymentId && mayKeep.includes(order.status)) return [];
  return [`P2: ${paymentId} is captured for nothing, and its refund is not owed`];
}

/** P2: the gateway can no longer capture a payment that was given up, or a void is owed. */
function forgottenCharge(
  { paymentId, status, voidOwed }: StoredPayment,
  charge: string | undefined,
): string[] {
  if (OPEN.includes(status) || voidOwed !== undefined) return [];
  const isRight =
    status === 'CAPTURED' || status === 'REFUNDED'
      ? charge === 'CAPTURED' || charge === 'REFUNDED'
      : charge !== 'PENDING' && charge !== 'CAPTURED';
  return isRight ? [] : [`P2: ${paymentId} is ${status}, and its charge ${charge ?? 'not there'}`];
}

/**
 * Checks, just before a charge, that the order's stock is held for longer than the gateway may take to
 * capture.
 * @param untilMs the time by which the gateway has answered or acknowledged, or the service asks it.
 */
export function brokenCharge(
  { payments, reservations }: Pick<StoredNow, 'payments' | 'reservations'>,
  paymentId: string | undefined,
  untilMs: number,
): string[] {
  const payment = payments.find((one) => one.paymentId === paymentId);
  // A settled payment already has a tombstone at the gateway, so this charge has no effect.
  if (payment === undefined || !OPEN.includes(payment.status)) return [];
  const { orderId } = payment;
  const held = reservations.find((one) => one.orderId === orderId);
  const isHeld =
    held?.status === 'HELD' &&
    held.revision === payment.revision &&
    (held.expiresAtMs ?? 0) >= untilMs;
  return isHeld ? [] : [`P3: ${orderId} is charged, and its stock is not held for so long`];
}

/**
 * Steps that belong to one run of an order, by hand. Compensations are absent: they serve any run.
 * tests/contract/order-lifecycle.test.ts compares them with the state machine's table.
 */
export const STEPS: readonly string[] = [
  'reserveStock',
  'rejectReservation',
  'expireOrder',
  'takePayment',
  'awaitAcknowledgement',
  'settlePayment',
  'giveUpPayment',
  'confirmOrder',
];

/**
 * Checks the writes of one transaction: a step writes its order, with its payments, only while its run is the order's
 * current one.
 * @param requester the invocation that writes, if it is a function's.
 */
export function brokenSuccession(
  writes: readonly CarriedOut[],
  requester: Invocation | undefined,
): string[] {
  if (requester === undefined || !STEPS.includes(requester.functionKey)) return [];
  const { functionKey, event } = requester;
  const { orderId, run } = event as { readonly orderId: string; readonly run: number };
  const own = writes.filter(({ after }) => after?.['pk']?.S === `ORDER#${orderId}`);
  const isBroken = own.some(({ before }) => Number(before?.['run']?.N) !== run);
  return isBroken
    ? [`P6: ${functionKey} of run ${String(run)} writes for ${orderId}, whose run is another`]
    : [];
}

/** By hand: the tolerance for the clocks of two machines, of the default configuration. */
const TWO_CLOCKS_MS = 2000;

/** Checks the writes of one transaction. P5: an order expires at the time that its user was told, whatever timer fires. */
export function expiredEarly(writes: readonly CarriedOut[], nowMs: number): string[] {
  return writes.flatMap(({ before, after }) => {
    const untilMs = Number(before?.['reservationExpiresAtMs']?.N);
    const isExpired =
      before?.['status']?.S === 'PENDING_PAYMENT' &&
      after?.['status']?.S === 'ORDER_FAILED' &&
      after['reason']?.S === 'RESERVATION_EXPIRED';
    return isExpired && nowMs < untilMs - TWO_CLOCKS_MS
      ? [`P5: ${before['orderId']?.S ?? ''} expires ${String(untilMs - nowMs)} ms too early`]
      : [];
  });
}

/** Payload of a step that waits. */
interface Attempt {
  readonly orderId: string;
  readonly run: number;
  readonly enteredAt: string;
  readonly retryCount: number;
}

/**
 * Checks the writes of one transaction. P5: a step that waits lets its order wait only after its token, or that of a
 * newer attempt, is stored. Whoever decides then finds it.
 * @param requester the invocation that writes, if it is a function's.
 */
export function deafWrites(
  writes: readonly CarriedOut[],
  requester: Invocation | undefined,
  { waits }: Pick<Snapshot, 'waits'>,
): string[] {
  const { functionKey, event } = requester ?? {};
  if (functionKey !== 'reserveStock' && functionKey !== 'awaitAcknowledgement') return [];
  const { orderId, run, enteredAt, retryCount } = event as Attempt;
  const isFound = waits.some(
    (wait) =>
      wait.orderId === orderId &&
      isNoOlder(
        [wait.run, wait.enteredAtMs, wait.retryCount],
        [run, Date.parse(enteredAt), retryCount],
      ),
  );
  const isWaiting = writes.some(
    ({ after }) => after?.['pk']?.S === `ORDER#${orderId}` && isAwaited(after),
  );
  if (isFound || !isWaiting) return [];
  return [`P5: ${functionKey} lets ${orderId} wait before its token is stored`];
}

/** Tells if a decision on the order is awaited: the user's, or the gateway's on its payment. */
function isAwaited({ status, payments }: Item): boolean {
  return status?.S === 'PENDING_PAYMENT' || payments?.L?.at(-1)?.M?.['status']?.S === 'PENDING';
}

/** Compares the numbers in their order; the first that differ decide. */
function isNoOlder(one: readonly number[], other: readonly number[]): boolean {
  const first = one.findIndex((number, index) => number !== other[index]);
  return first === -1 || Number(one[first]) > Number(other[first]);
}

/** Item types that have a status, and the attribute that counts their writes. */
const COUNTERS: Readonly<Record<string, string>> = { ORDER: 'writes', RESERVATION: 'version' };

/**
 * Checks the writes of one transaction. P6: each status change is conditional, so DynamoDB refuses it if the
 * item differs from what was read.
 */
export function brokenWrites(writes: readonly CarriedOut[]): string[] {
  return writes.flatMap((write) => [...unconditional(write), ...backwards(write)]);
}

/** Evaluates the write's condition against items that might have been stored instead. */
function unconditional({ before, after, isAllowedOver }: CarriedOut): string[] {
  const type = after?.['type']?.S ?? '';
  const id = after?.['pk']?.S ?? '';
  if (after === undefined) return [];
  if (type === 'OPEN_ORDERS') return unconditionalEntry({ before, after, isAllowedOver }, id);
  const isPersonsChange = type === 'PRODUCT' && after['version']?.N !== before?.['version']?.N;
  const counter = COUNTERS[type] ?? 'version';
  if (COUNTERS[type] === undefined && !isPersonsChange) return [];
  if (before === undefined) return isAllowedOver(after) ? [`P6: ${id} is written over`] : [];
  if (isStartOfReserving(before, after))
    return unconditionalStart({ before, after, isAllowedOver }, id);
  const count = { N: String(Number(before[counter]?.N) + 1) };
  return [
    ...(isAllowedOver({ ...before, status: { S: 'ANOTHER' } })
      ? [`P6: ${id} is written whatever its status`]
      : []),
    ...(isAllowedOver({ ...before, [counter]: count })
      ? [`P6: ${id} is written whatever its ${counter}`]
      : []),
  ];
}

function isStartOfReserving(before: Item, after: Item): boolean {
  return before['status']?.S === 'CREATED' && after['status']?.S === 'PENDING_RESERVING_STOCK';
}

/** Attributes that the first write of a run changes. */
const STARTED = ['status', 'purpose', 'dueAtMs', 'history', 'version', 'writes'];

/** The first write of a run reads nothing before: it needs the status and the run, and leaves all else as it finds it. */
function unconditionalStart(
  {
    before = {},
    after = {},
    isAllowedOver,
  }: Pick<CarriedOut, 'before' | 'after' | 'isAllowedOver'>,
  id: string,
): string[] {
  const run = { N: String(Number(before['run']?.N) + 1) };
  const lost = Object.keys({ ...before, ...after }).filter(
    (name) =>
      !STARTED.includes(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  return [
    ...(isAllowedOver({ ...before, status: { S: 'ORDER_CANCELLED' } })
      ? [`P6: ${id} is reserved whatever its status`]
      : []),
    ...(isAllowedOver({ ...before, run }) ? [`P6: ${id} is reserved whatever its run`] : []),
    ...lost.map((name) => `P6: ${id} is reserved and its ${name} overwritten`),
  ];
}

/** An order is entered only where its items have no entry, and there are fewer than the user may have. */
function unconditionalEntry(
  { before, after, isAllowedOver }: Pick<CarriedOut, 'before' | 'after' | 'isAllowedOver'>,
  id: string,
): string[] {
  const version = { N: String(Number(before?.['version']?.N ?? 0) + 1) };
  const entered = Object.keys(after ?? {}).filter(
    (name) => name.startsWith('items_') && before?.[name] === undefined,
  );
  // A writer that takes an entry away, or writes it anew, has seen the whole item.
  const isRewrite = Object.keys(before ?? {}).some(
    (name) =>
      name.startsWith('items_') && JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]),
  );
  const rewritten =
    isRewrite && isAllowedOver({ ...before, version })
      ? [`P6: ${id} is written whatever its version`]
      : [];
  const taken = entered.flatMap((name) => {
    const rival = { M: { orderId: { S: 'ord_of_a_rival' } } };
    const another = { ...(before ?? after), version, [name]: rival };
    const full = { pk: { S: id }, ...before, version, entryCount: { N: '1000' } };
    return [
      ...(isAllowedOver(another) ? [`P6: ${id} ${name} is taken, whoever has it`] : []),
      ...(isAllowedOver(full) ? [`P6: ${id} takes an order, however many it has`] : []),
    ];
  });
  return [...rewritten, ...taken];
}

/**
 * Counters count every write. A released reservation is held again only at a higher revision; a confirmed one
 * never changes. An order's version counts the changes that its user can see, and no others.
 */
function backwards({ before, after }: CarriedOut): string[] {
  const type = after?.['type']?.S ?? '';
  const counter = type === 'OPEN_ORDERS' ? 'version' : COUNTERS[type];
  if (before === undefined || after === undefined || counter === undefined) return [];
  const id = after['pk']?.S ?? '';
  const went = (name: string) => Number(after[name]?.N) - Number(before[name]?.N);
  // The dispatcher corrects a place in the outbox's index. That is no change of the order.
  const isWrite = type !== 'ORDER' || changed(before, after).some((name) => name !== 'dueKeyMs');
  const wrong =
    went(counter) === (isWrite ? 1 : 0)
      ? []
      : [`P6: ${id} does not count its writes in its ${counter}`];
  if (type === 'ORDER') {
    const isSeen = shown(before) !== shown(after);
    return went('version') === (isSeen ? 1 : 0)
      ? wrong
      : [...wrong, `P6: the version of ${id} does not count what its user sees`];
  }
  if (type !== 'RESERVATION') return wrong;
  const isRisen = before['status']?.S === 'RELEASED' && after['status']?.S === 'HELD';
  const isRight = went('revision') >= (isRisen ? 1 : 0) && before['status']?.S !== 'CONFIRMED';
  return isRight ? wrong : [...wrong, `P6: ${id} is changed by an older revision`];
}

/** Names of the attributes that differ. */
function changed(before: Item, after: Item): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/**
 * Facts that `GET /order/{id}` shows (specification, section 3), as one text. A change that its user has asked for
 * counts, even if it asks for what is there: the next `If-Match` must not meet the former version.
 */
function shown(item: Item): string {
  const payments = (item['payments']?.L ?? []).map(({ M: payment = {} }) => payment);
  const modification = item['modification']?.M;
  return JSON.stringify([
    ...['status', 'reason', 'items', 'total', 'reservationExpiresAtMs', 'history'].map(
      (name) => item[name],
    ),
    item['modifications'],
    item['outage']?.M?.['sinceMs'],
    modification?.['status'],
    modification?.['code'],
    payments.at(-1)?.['paymentId'],
    payments.filter(({ status }) => status?.S === 'REFUNDED').map(({ paymentId }) => paymentId),
  ]);
}
