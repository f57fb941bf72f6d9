import { listOrders, listOrdersQuerySchema } from '../../lib/orders/list-orders.ts';
import type { OrderPageDocument } from '../../lib/orders/order-document.ts';
import { orderService } from '../../lib/orders/order-service.ts';
import { toOrderDocument } from '../../lib/orders/order-view.ts';
import { apiHandler } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderService);

export const handler = apiHandler(
  { route: 'GET /order', access: 'user', query: listOrdersQuerySchema },
  async ({ user, query }) => {
    const { orders, next } = await listOrders(service(), user.userId, query);
    return {
      status: 200,
      body: {
        orders: orders.map((order) => toOrderDocument(service(), order)),
        next,
      } satisfies OrderPageDocument,
    };
  },
);
