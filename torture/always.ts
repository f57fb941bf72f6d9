import type { CarriedOut } from '../local/dynamodb/memory-dynamodb.ts';
import type { Invocation } from './world/effect-log.ts';
import type {
  Snapshot,
  StoredOrder,
  StoredPayment,
  StoredProduct,
  StoredReservation,
} from './world/snapshot.ts';

/**
 * What holds at every moment, whatever is under way: between any two effects, and not only at rest.
 * Pure functions over what is stored, so that whoever moves the world can ask at any time.
 */

export type StoredNow = Pick<
  Snapshot,
  'orders' | 'payments' | 'products' | 'reservations' | 'charges'
>;

/** States in which the system owes the next move: `due` is never merely cleared in them. */
const OWED = ['CREATED', 'PENDING_RESERVING_STOCK', 'PENDING_PAYMENT', 'PAYMENT_IN_PROGRESS'];
const OPEN = ['INITIATED', 'PENDING'];

/** What is broken just now, in words that begin with the promise; nothing where all of them hold. */
export function brokenAlways(stored: StoredNow, nowMs: number): string[] {
  const reservations = new Map(stored.reservations.map((one) => [one.orderId, one]));
  const payments = new Map(stored.payments.map((one) => [one.paymentId, one]));
  const orders = new Map(stored.orders.map((one) => [one.orderId, one]));
  return [
    ...stored.products.flatMap((product) => brokenStock(product, stored.reservations)),
    ...stored.reservations.flatMap((one) => heldForNothing(one, orders.get(one.orderId))),
    ...stored.orders.flatMap((order) => [
      ...notDue(order),
      ...unpaidPayment(order, payments.get(order.paymentId ?? '')),
      ...brokenHold(order, reservations.get(order.orderId), nowMs),
      ...brokenSale(order, payments.get(order.paymentId ?? ''), reservations.get(order.orderId)),
    ]),
    ...stored.payments.flatMap((payment) => {
      const charges = stored.charges.get(payment.orderId) ?? [];
      const charge = charges.find(({ paymentId }) => paymentId === payment.paymentId);
      return [
        ...keptMoney(payment, orders.get(payment.orderId)),
        ...forgottenCharge(payment, charge?.status),
      ];
    }),
  ];
}

/** P1, and that the counters are the sums of what the reservations say: they change together. */
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

/** P5: whoever holds stock moves on by itself, or owes it back. */
function heldForNothing(
  { orderId, status }: StoredReservation,
  order: StoredOrder | undefined,
): string[] {
  if (status !== 'HELD' || !orderId.startsWith('ord_')) return [];
  if (order !== undefined && (OWED.includes(order.status) || order.releaseOwed !== undefined)) {
    return [];
  }
  const what = order?.status ?? 'not there';
  return [`P5: the stock of ${orderId} is held, and the order is ${what} and owes nothing`];
}

/** P5, the outbox: what the system owes the next move is found by its time. */
function notDue({ orderId, status, dueAtMs }: StoredOrder): string[] {
  if (!OWED.includes(status) || dueAtMs !== undefined) return [];
  return [`P5: ${orderId} is ${status} and not due`];
}

/** P4: an order and its payment come into being together. */
function unpaidPayment({ orderId, status }: StoredOrder, payment: StoredPayment | undefined) {
  if (status !== 'PAYMENT_IN_PROGRESS' || payment !== undefined) return [];
  return [`P4: ${orderId} is being paid, and there is no payment`];
}

/** What the user was promised until a time is held until then. */
function brokenHold(
  order: StoredOrder,
  held: StoredReservation | undefined,
  nowMs: number,
): string[] {
  const { orderId, status, heldRevision, reservationExpiresAtMs = 0 } = order;
  if (status !== 'PENDING_PAYMENT' || nowMs >= reservationExpiresAtMs) return [];
  const isHeld =
    held?.status === 'HELD' &&
    held.revision === heldRevision &&
    (held.expiresAtMs ?? 0) >= reservationExpiresAtMs;
  return isHeld ? [] : [`P5: ${orderId} waits for its payment, and its stock is not held for it`];
}

/** P3, the way that always holds. */
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

/** P2: captured money is an order's own, or its refund is owed from the same write on. */
function keptMoney(
  { paymentId, status, refundOwed }: StoredPayment,
  order: StoredOrder | undefined,
): string[] {
  if (status !== 'CAPTURED' || refundOwed !== undefined) return [];
  const mayKeep = ['PENDING_RESERVING_STOCK', 'PAYMENT_IN_PROGRESS', 'PAYMENT_DONE'];
  if (order?.paymentId === paymentId && mayKeep.includes(order.status)) return [];
  return [`P2: ${paymentId} is captured for nothing, and its refund is not owed`];
}

/** P2: what was given up can never be captured any more, or its void is owed. */
function forgottenCharge(
  { paymentId, status, voidOwed }: StoredPayment,
  charge: string | undefined,
): string[] {
  if (OPEN.includes(status) || voidOwed === true) return [];
  const isRight =
    status === 'CAPTURED' || status === 'REFUNDED'
      ? charge === 'CAPTURED' || charge === 'REFUNDED'
      : charge !== 'PENDING' && charge !== 'CAPTURED';
  return isRight ? [] : [`P2: ${paymentId} is ${status}, and its charge ${charge ?? 'not there'}`];
}

/**
 * For the moment when the gateway is about to be asked for a payment: its order's stock is held beyond
 * the time in which that may be captured.
 * @param untilMs when the gateway has either answered, or acknowledged, or is asked.
 */
export function brokenCharge(
  { payments, reservations }: Pick<StoredNow, 'payments' | 'reservations'>,
  paymentId: string | undefined,
  untilMs: number,
): string[] {
  const payment = payments.find((one) => one.paymentId === paymentId);
  // One that is settled already has a tombstone at the gateway: nothing comes of the call.
  if (payment === undefined || !OPEN.includes(payment.status)) return [];
  const { orderId } = payment;
  const held = reservations.find((one) => one.orderId === orderId);
  const isHeld =
    held?.status === 'HELD' &&
    held.revision === payment.revision &&
    (held.expiresAtMs ?? 0) >= untilMs;
  return isHeld ? [] : [`P3: ${orderId} is charged, and its stock is not held for so long`];
}

/** The steps that belong to one run of an order; a compensation is for whatever is still owed. */
const STEPS = [
  'reserveStock',
  'rejectReservation',
  'awaitPayment',
  'expireOrder',
  'chargePayment',
  'awaitAcknowledgement',
  'settlePayment',
  'giveUpPayment',
  'confirmOrder',
];

export function isStep({ functionKey }: Pick<Invocation, 'functionKey'>): boolean {
  return STEPS.includes(functionKey);
}

/**
 * For the moment after a write was carried out: it was no step of a run that a newer one had taken
 * over from before that.
 * @param stored as it was before the write.
 */
export function brokenSuccession(
  { orders }: Pick<StoredNow, 'orders'>,
  { functionKey, event }: Invocation,
): string[] {
  if (!isStep({ functionKey })) return [];
  const { orderId, run } = event as { readonly orderId: string; readonly run: number };
  const order = orders.find((one) => one.orderId === orderId);
  if (order === undefined || order.run === run) return [];
  return [`P6: ${functionKey} of run ${String(run)} writes for ${orderId}, whose run is another`];
}

/** What has a status, and counts its writes. */
const VERSIONED = ['ORDER', 'PAYMENT', 'RESERVATION'];

/**
 * What is wrong with writes that were carried out together. P6: each change of a status was
 * conditional, so it would have been refused, had the item been anything but what was read.
 */
export function brokenWrites(writes: readonly CarriedOut[]): string[] {
  return writes.flatMap((write) => [
    ...unconditional(write),
    ...backwards(write),
    ...unguarded(write, writes),
  ]);
}

/** A condition is tried out on what might have been stored instead. */
function unconditional({ before, after, isAllowedOver }: CarriedOut): string[] {
  const type = after?.['type']?.S ?? '';
  const id = after?.['pk']?.S ?? '';
  if (after === undefined) return [];
  if (type === 'GUARD' || type === 'EVENT') {
    const other = { ...(before ?? after), orderId: { S: 'ord_of_somebody_else' } };
    return isAllowedOver(other) ? [`P6: ${id} is taken, whoever has it`] : [];
  }
  const isPersonsChange = type === 'PRODUCT' && after['version']?.N !== before?.['version']?.N;
  if (!VERSIONED.includes(type) && !isPersonsChange) return [];
  if (before === undefined) return isAllowedOver(after) ? [`P6: ${id} is written over`] : [];
  const version = { N: String(Number(before['version']?.N) + 1) };
  return [
    ...(isAllowedOver({ ...before, status: { S: 'ANOTHER' } })
      ? [`P6: ${id} is written whatever its status`]
      : []),
    ...(isAllowedOver({ ...before, version }) ? [`P6: ${id} is written whatever its version`] : []),
  ];
}

/** Versions count every write; a reservation's revision never goes down, nor up from the dead. */
function backwards({ before, after }: CarriedOut): string[] {
  const type = after?.['type']?.S ?? '';
  if (before === undefined || !VERSIONED.includes(type)) return [];
  const id = after?.['pk']?.S ?? '';
  const went = (name: string) => Number(after?.[name]?.N) - Number(before[name]?.N);
  const wrong = went('version') === 1 ? [] : [`P6: the version of ${id} does not count its writes`];
  if (type !== 'RESERVATION') return wrong;
  const isRisen = before['status']?.S === 'RELEASED' && after?.['status']?.S === 'HELD';
  const isRight = went('revision') >= (isRisen ? 1 : 0) && before['status']?.S !== 'CONFIRMED';
  return isRight ? wrong : [...wrong, `P6: ${id} is changed by an older revision`];
}

/** An order and its duplicate guard come into being together. */
function unguarded({ before, after }: CarriedOut, writes: readonly CarriedOut[]): string[] {
  if (before !== undefined || after?.['type']?.S !== 'ORDER') return [];
  const { guardKey, orderId } = after;
  if (guardKey?.S === undefined) return [];
  const isGuarded = writes.some(
    (write) =>
      write.after?.['pk']?.S === `GUARD#${guardKey.S}` && write.after['orderId']?.S === orderId?.S,
  );
  return isGuarded ? [] : [`P4: ${orderId?.S ?? ''} is placed without its guard`];
}
