import type { OrderAnswers } from '../../lib/orders/http/order-examples.ts';
import type { OrderPageDocument } from '../../lib/orders/http/response-schemas.ts';
import { toOrderDocument } from '../../lib/orders/http/responses.ts';
import { listOrders, listOrdersQuerySchema } from '../../lib/orders/list-orders.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({}));

export const handler = apiHandler(
  {
    route: 'GET /order',
    access: forUsers(),
    query: { schema: listOrdersQuerySchema, example: { limit: 10 } },
    document: {
      tag: 'Orders',
      summary: 'List your orders',
      description: 'Your own orders, newest first, page by page.',
      answers: {
        200: { description: 'One page.', example: 'orderPage' },
      } satisfies OrderAnswers,
    },
  },
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
