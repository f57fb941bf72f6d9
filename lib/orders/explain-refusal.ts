import { OutOfStock } from '../inventory/refusals.ts';
import { UNREADABLE } from '../platform/dynamo/items.ts';
import { holdsStock } from './open-orders.ts';
import type { Order, RefusedProduct } from './order.ts';
import { possibleItems } from './order-items.ts';
import type { OrderService } from './order-service.ts';

const OWN_ORDERS_HOLD =
  'Your own unpaid orders in "orders" hold pieces of it: pay, change or cancel one of them instead.';

/**
 * Words and facts of a refusal because of a product, for the order's user. If the user's own open orders hold what
 * is missing, it names and links them.
 */
export async function explainRefusal(
  service: OrderService,
  order: Pick<Order, 'orderId' | 'userId'>,
  { code, detail, ...product }: RefusedProduct,
) {
  const { orderId } = order;
  const isMissing = code === OutOfStock.refusal.code;
  const orders = isMissing ? await ownHolds(service, order, product.productId) : [];
  return orders.length === 0
    ? { detail, details: { orderId, ...product } }
    : { detail: `${detail} ${OWN_ORDERS_HOLD}`, details: { orderId, ...product, orders } };
}

/** The user's other orders that hold pieces of the product, or are about to. */
async function ownHolds(
  service: OrderService,
  { orderId: own, userId }: Pick<Order, 'orderId' | 'userId'>,
  productId: string,
) {
  const { entries } = await service.orders.getOpenOrders(userId);
  const others = new Set(entries.map(({ orderId }) => orderId).filter((one) => one !== own));
  const found = await service.orders.getOrdersById([...others]);
  return [...found.values()].flatMap((order) => {
    if (order === undefined || order === UNREADABLE || !holdsStock(order)) return [];
    const line = possibleItems(order)
      .flat()
      .find((one) => one.productId === productId);
    if (line === undefined) return [];
    const { orderId, status } = order;
    const links = { self: { method: 'GET', href: `/order/${orderId}` } };
    return [{ orderId, status, quantity: line.quantity, links }];
  });
}
