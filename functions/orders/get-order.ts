import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { toOrderDocument } from '../../lib/orders/order-view.ts';
import { ownedOrder } from '../../lib/orders/owned.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderServiceWith({}));

export const handler = apiHandler(
  { route: 'GET /order/{orderId}', access: forUsers() },
  async ({ path, user }) => {
    const order = await ownedOrder(service(), path['orderId'] ?? '', user.userId);
    return {
      status: 200,
      headers: { ETag: `"${String(order.version)}"` },
      body: toOrderDocument(service(), order),
    };
  },
);
