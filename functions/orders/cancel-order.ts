import { currentOrderAnswer } from '../../lib/orders/answers.ts';
import { cancelOrder } from '../../lib/orders/cancel-order.ts';
import { orderService } from '../../lib/orders/order-service.ts';
import { apiHandler } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderService);

export const handler = apiHandler(
  { route: 'POST /order/cancelorder/{orderId}', access: 'user', idempotent: true },
  async ({ path, user }) => {
    const order = await cancelOrder(service(), path['orderId'] ?? '', user.userId);
    return currentOrderAnswer(service(), order);
  },
);
