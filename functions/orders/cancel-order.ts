import { cancelOrder } from '../../lib/orders/cancel-order.ts';
import { currentOrderAnswer } from '../../lib/orders/http/responses.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));

export const handler = apiHandler(
  { route: 'POST /order/cancelorder/{orderId}', access: forUsers(), idempotency: idempotent() },
  async ({ path, user }) => {
    const order = await cancelOrder(service(), path['orderId'] ?? '', user.userId);
    return currentOrderAnswer(service(), order);
  },
);
