import type { OrderPageDocument } from '../../lib/orders/http/order-document.ts';
import { toOrderDocument } from '../../lib/orders/http/order-view.ts';
import { listOrders, listOrdersQuerySchema } from '../../lib/orders/list-orders.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { queryParameters } from '../../lib/platform/http/query-parameters.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({}));

export const handler = apiHandler(
  { route: 'GET /order', access: forUsers(), query: queryParameters(listOrdersQuerySchema) },
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
