import { reservationKey, toReservation } from '../../lib/inventory/inventory-repository.ts';
import type { Reservation } from '../../lib/inventory/reservation.ts';
import { toOrder, uncheckedOrder } from '../../lib/orders/stored-order.ts';
import type { Charge } from '../../lib/payments/payment-gateway.ts';
import { toPayment, uncheckedPayment } from '../../lib/payments/payment-repository.ts';
import { UnknownSchemaVersion } from '../../lib/platform/dynamo/items.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';
import type { Facts, Stored, StoredPayment, Subject } from './facts.ts';
import type { GatewayBooks } from './gateway-books.ts';
import { type Item, itemsOf, problemWith } from './tables.ts';

const orderKey = (orderId: string): string => `ORDER#${orderId}`;
const paymentKey = (paymentId: string): string => `PAYMENT#${paymentId}`;

export interface Reading {
  readonly subject: Subject;
  readonly facts: Facts;
  /** True if the order or one of its payments changed during the reading. The facts may then not fit together. */
  readonly hasMoved: boolean;
}

/**
 * Reads the facts of the subjects' orders. Two tables and a gateway cannot be read at one common moment. So it
 * reads orders and payments first and once more at the end. If they have not changed in between, all other facts
 * belong to exactly these.
 * @returns one for each subject, in their order.
 * @throws InfrastructureUnavailable
 */
export async function readFacts(
  runtime: Runtime,
  books: GatewayBooks,
  subjects: readonly Subject[],
): Promise<Reading[]> {
  const { ORDERS_TABLE, INVENTORY_TABLE } = runtime.config;
  const orderIds = [...new Set(subjects.map(({ orderId }) => orderId))];
  // A reservation is only judged by whether its order exists.
  const inMoney = subjects.filter(({ kind }) => kind !== 'RESERVATION');

  const orders = await itemsOf(runtime, ORDERS_TABLE, orderIds.map(orderKey));
  const named = [...subjects.flatMap(paymentOf), ...[...orders.values()].flatMap(paymentsNamedBy)];
  const known = await itemsOf(runtime, ORDERS_TABLE, named.map(paymentKey));

  const reservations = await itemsOf(
    runtime,
    INVENTORY_TABLE,
    orderIds.map((orderId) => reservationKey(orderId).pk),
  );
  const charges = await books.ofOrders([...new Set(inMoney.map(({ orderId }) => orderId))]);
  // A payment is stored before it is charged. Read after the charge, it exists or never did.
  const charged = [...charges.values()]
    .flat()
    .map(({ paymentId }) => paymentKey(paymentId))
    .filter((key) => !known.has(key));
  const others = await itemsOf(runtime, ORDERS_TABLE, charged);

  const watched = [...orderIds.map(orderKey), ...named.map(paymentKey)];
  const again = await itemsOf(runtime, ORDERS_TABLE, watched);
  const hasChanged = (key: string): boolean =>
    versionOf(again.get(key)) !== versionOf(orders.get(key) ?? known.get(key));

  return subjects.map((subject) => {
    const { orderId } = subject;
    const order = orders.get(orderKey(orderId));
    const reservation = reservations.get(reservationKey(orderId).pk);
    const ofOrder = charges.get(orderId);
    const own = [...paymentOf(subject), ...(order === undefined ? [] : paymentsNamedBy(order))];
    const facts: Facts = {
      orderId,
      order: order === undefined ? undefined : stored(order, uncheckedOrder, toOrder),
      payments: paymentsOf([...own, ...chargedIds(ofOrder)], known, others),
      ...reservationFacts(reservation),
      charges: ofOrder,
    };
    return {
      subject,
      facts,
      hasMoved: [orderKey(orderId), ...own.map(paymentKey)].some(hasChanged),
    };
  });
}

function paymentOf(subject: Subject): string[] {
  return subject.kind === 'PAYMENT' ? [subject.paymentId] : [];
}

/** Payment ids in an order's item, even if the item is malformed. */
function paymentsNamedBy(item: Item): string[] {
  const { paymentId, refunds } = item as { paymentId?: unknown; refunds?: unknown };
  const refunded = Array.isArray(refunds)
    ? refunds.map((refund: { readonly paymentId?: unknown } | null) => refund?.paymentId)
    : [];
  return [paymentId, ...refunded].filter((id) => typeof id === 'string');
}

function chargedIds(charges: readonly Charge[] = []): string[] {
  return charges.map(({ paymentId }) => paymentId);
}

function paymentsOf(
  paymentIds: readonly string[],
  ...sources: readonly ReadonlyMap<string, Item>[]
): ReadonlyMap<string, StoredPayment> {
  const payments = new Map<string, StoredPayment>();
  for (const paymentId of paymentIds) {
    const key = paymentKey(paymentId);
    const item = sources.map((source) => source.get(key)).find((found) => found !== undefined);
    if (item !== undefined) payments.set(paymentId, stored(item, uncheckedPayment, toPayment));
  }
  return payments;
}

function stored<Kind>(
  item: Item,
  asItIs: (item: Item) => Kind,
  parse: (item: Item) => Kind,
): Stored<Kind> {
  const dueShard = item['dueShard'];
  const problem = problemWith(item, parse);
  return {
    item: asItIs(item),
    dueShard: typeof dueShard === 'string' ? dueShard : undefined,
    ...(problem === undefined ? {} : { problem: problem.message }),
    ...(problem instanceof UnknownSchemaVersion ? { isNewer: true } : {}),
  };
}

function reservationFacts(
  item: Item | undefined,
): Pick<Facts, 'reservation' | 'reservationProblem' | 'isReservationNewer'> {
  if (item === undefined) return { reservation: undefined };
  const problem = problemWith(item, toReservation);
  return {
    // As it is, with its index attributes: the doctor never writes it back.
    reservation: item as unknown as Reservation,
    ...(problem === undefined ? {} : { reservationProblem: problem.message }),
    ...(problem instanceof UnknownSchemaVersion ? { isReservationNewer: true } : {}),
  };
}

function versionOf(item: Item | undefined): unknown {
  return item === undefined ? undefined : `${String(item['status'])} ${String(item['version'])}`;
}
