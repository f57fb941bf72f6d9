import { ORDER_POSITION, ORDERS_PER_PAGE } from '../limits.ts';
import { type PageQuery, pageOf, pageQuerySchema } from '../platform/dynamo/paging.ts';
import type { Order } from './order.ts';
import type { OrderPosition } from './order-repository.ts';
import type { OrderService } from './order-service.ts';

export const listOrdersQuerySchema = pageQuerySchema({
  defaultLimit: ORDERS_PER_PAGE.default,
  maximumLimit: ORDERS_PER_PAGE.max,
  position: ORDER_POSITION,
});

/**
 * One page of the user's own orders, newest first, as they are now. An order placed at this moment may
 * still be missing. A cursor is only a position among the caller's own orders (P7).
 */
export async function listOrders(
  service: OrderService,
  userId: string,
  { limit, cursor }: PageQuery,
): Promise<{ readonly orders: readonly Order[]; readonly next: string | null }> {
  const before = cursor === undefined ? undefined : positionIn(cursor);
  const positions = await service.orders.positionsOf(userId, before, limit + 1);
  const { page, next } = pageOf(positions, limit, textOf);
  const orderIds = page.map(({ orderId }) => orderId);
  return { orders: await service.orders.getOrders(orderIds), next };
}

function textOf({ createdAtMs, orderId }: OrderPosition): string {
  return `${String(createdAtMs)}#${orderId}`;
}

function positionIn(text: string): OrderPosition {
  const [createdAtMs, orderId = ''] = text.split('#');
  return { createdAtMs: Number(createdAtMs), orderId };
}
