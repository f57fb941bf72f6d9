import { UNREADABLE } from '../platform/dynamo/items.ts';
import { assertNever } from '../platform/errors.ts';
import {
  type Admission,
  type AdmissionRules,
  decideAdmission,
  type KnownOrder,
  type KnownOrders,
  type OpenOrders,
  ordersToRead,
} from './open-orders.ts';
import type { Order } from './order.ts';
import { possibleItems } from './order-items.ts';
import { itemsKeyOf, type OrderService } from './order-service.ts';
import { DuplicateOrder, OrderInFlight, TooManyOpenOrders } from './refusals.ts';

const RETRY_INSTEAD =
  'You placed the same order a moment ago and it failed. Retry that one with the call in ' +
  '"retryOrder", or send "X-Allow-Duplicate: true" if you want another one.';
const TOO_FAST =
  'You have placed, changed or ended very many orders within a minute; try again after the time ' +
  'in Retry-After.';

/**
 * Enters an order among its user's open orders, before the order's own write.
 * @param seen the item as a refused write returned it; by default it is read.
 * @returns `EXISTS` if the order is stored already, which only a repeated request to place it can meet.
 * @throws DuplicateOrder, OrderInFlight, TooManyOpenOrders; ConcurrentUpdate if the item has changed.
 */
export async function admitOrder(
  service: OrderService,
  userId: string,
  admission: Admission,
  seen?: OpenOrders,
): Promise<'ENTERED' | 'EXISTS'> {
  const rules: AdmissionRules = {
    nowMs: service.clock.now(),
    duplicateWindowMs: service.config.DUPLICATE_WINDOW_SECONDS * 1000,
    maxOpenOrders: service.config.MAX_OPEN_ORDERS_PER_USER,
  };
  const openOrders = seen ?? (await service.orders.getOpenOrders(userId));
  const known = await readOrders(service, ordersToRead(openOrders, admission, rules));
  const decision = decideAdmission(openOrders, known, admission, rules);
  switch (decision.kind) {
    case 'ENTER':
      await service.orders.saveOpenOrders(userId, decision.entries, openOrders);
      return 'ENTERED';
    case 'EXISTS':
      return 'EXISTS';
    case 'DUPLICATE':
      throw duplicateOf(decision.first);
    case 'IN_FLIGHT':
      throw new OrderInFlight(OrderInFlight.refusal.advice, {
        details: { orderId: decision.orderId },
      });
    case 'FULL':
      throw new TooManyOpenOrders(TooManyOpenOrders.refusal.advice, {
        details: {
          orders: decision.open.map((open) => ({
            ...open,
            links: { self: { method: 'GET', href: `/order/${open.orderId}` } },
          })),
        },
      });
    case 'TOO_FAST':
      throw new TooManyOpenOrders(TOO_FAST);
    default:
      return assertNever(decision);
  }
}

async function readOrders(
  service: OrderService,
  orderIds: readonly string[],
): Promise<KnownOrders> {
  const known = new Map<string, KnownOrder | undefined>();
  for (const [orderId, order] of await service.orders.getOrdersById(orderIds)) {
    known.set(orderId, order && knownOrder(order));
  }
  return known;
}

function knownOrder(order: Order | typeof UNREADABLE): KnownOrder {
  return order === UNREADABLE
    ? { order: undefined, itemsKeys: [] }
    : { order, itemsKeys: possibleItems(order).map(itemsKeyOf) };
}

/** Request to enter an order that is stored, for a write at the version after its present one. */
export function admissionOf(
  service: OrderService,
  purpose: 'RETRY' | 'MODIFY',
  { orderId, version, items }: Order,
  intended = items,
): Admission {
  const entry = {
    itemsKey: itemsKeyOf(intended),
    orderId,
    atMs: service.clock.now(),
    version: version + 1,
  };
  return { purpose, entry, heldItemsKey: itemsKeyOf(items) };
}

function duplicateOf({ orderId, status }: Order): DuplicateOrder {
  const order = `/order/${orderId}`;
  return status === 'ORDER_FAILED'
    ? new DuplicateOrder(RETRY_INSTEAD, {
        details: { orderId },
        links: { order, retryOrder: `/order/retryorder/${orderId}` },
      })
    : new DuplicateOrder(DuplicateOrder.refusal.advice, { details: { orderId }, links: { order } });
}
