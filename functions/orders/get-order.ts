import { orderService } from '../../lib/orders/order-service.ts';
import { toOrderDocument } from '../../lib/orders/order-view.ts';
import { ownedOrder } from '../../lib/orders/owned.ts';
import { apiHandler } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderService);

export const handler = apiHandler(
  { route: 'GET /order/{orderId}', access: 'user' },
  async ({ path, user }) => {
    const order = await ownedOrder(service(), path['orderId'] ?? '', user.userId);
    return {
      status: 200,
      headers: { ETag: `"${String(order.version)}"` },
      body: toOrderDocument(service(), order),
    };
  },
);
