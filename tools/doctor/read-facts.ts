import { reservationKey, toReservation } from '../../lib/inventory/inventory-repository.ts';
import type { Reservation } from '../../lib/inventory/reservation.ts';
import { toOrder, uncheckedOrder } from '../../lib/orders/stored-order.ts';
import { UnknownSchemaVersion } from '../../lib/platform/dynamo/items.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';
import type { Facts, Stored, Subject } from './facts.ts';
import type { GatewayBooks } from './gateway-books.ts';
import { type Item, itemsOf, problemWith } from './tables.ts';

const orderKey = (orderId: string): string => `ORDER#${orderId}`;

export interface Reading {
  readonly subject: Subject;
  readonly facts: Facts;
  /** True if the order changed during the reading. The facts may then not fit together. */
  readonly hasMoved: boolean;
}

/**
 * Reads the facts of the subjects' orders. Two tables and a gateway cannot be read at one common moment. So it
 * reads orders first and once more at the end. If they have not changed in between, all other facts belong to
 * exactly these. A payment is stored with its order before it is charged, so a charge without one never had one.
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
  const reservations = await itemsOf(
    runtime,
    INVENTORY_TABLE,
    orderIds.map((orderId) => reservationKey(orderId).pk),
  );
  const charges = await books.ofOrders([...new Set(inMoney.map(({ orderId }) => orderId))]);
  const again = await itemsOf(runtime, ORDERS_TABLE, orderIds.map(orderKey));

  return subjects.map((subject) => {
    const { orderId } = subject;
    const key = orderKey(orderId);
    const order = orders.get(key);
    const facts: Facts = {
      orderId,
      order: order === undefined ? undefined : stored(order, uncheckedOrder, toOrder),
      ...reservationFacts(reservations.get(reservationKey(orderId).pk)),
      charges: charges.get(orderId),
    };
    return { subject, facts, hasMoved: writesOf(again.get(key)) !== writesOf(order) };
  });
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
    ...(problem instanceof UnknownSchemaVersion ? { isOtherVersion: true } : {}),
  };
}

function reservationFacts(
  item: Item | undefined,
): Pick<Facts, 'reservation' | 'reservationProblem' | 'isReservationOtherVersion'> {
  if (item === undefined) return { reservation: undefined };
  const problem = problemWith(item, toReservation);
  return {
    // As it is, with its index attributes: the doctor never writes it back.
    reservation: item as unknown as Reservation,
    ...(problem === undefined ? {} : { reservationProblem: problem.message }),
    ...(problem instanceof UnknownSchemaVersion ? { isReservationOtherVersion: true } : {}),
  };
}

function writesOf(item: Item | undefined): unknown {
  return item === undefined ? undefined : `${String(item['status'])} ${String(item['writes'])}`;
}
