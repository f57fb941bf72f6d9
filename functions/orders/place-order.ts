import { hasFailed, isStockDecided, orderAnswer } from '../../lib/orders/answers.ts';
import { itemsBodySchema } from '../../lib/orders/order-requests.ts';
import { orderService } from '../../lib/orders/order-service.ts';
import { ownedOrder } from '../../lib/orders/owned.ts';
import { placeOrder } from '../../lib/orders/place-order.ts';
import { waitFor } from '../../lib/orders/wait.ts';
import { apiHandler } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderService);

export const handler = apiHandler(
  {
    route: 'POST /order',
    access: 'user',
    body: itemsBodySchema,
    idempotent: true,
    isOutdated: (body) => hasFailed(service(), body),
  },
  async (request) => {
    const { userId } = request.user;
    const placed = await placeOrder(service(), {
      userId,
      items: request.body.items,
      idempotencyKey: request.idempotencyKey,
      allowDuplicate: request.header('x-allow-duplicate') === 'true',
      correlationId: request.correlationId,
    });
    const order = await waitFor(service(), request.waitSeconds, placed, isStockDecided, () =>
      ownedOrder(service(), placed.orderId, userId),
    );
    return orderAnswer(service(), order);
  },
);
