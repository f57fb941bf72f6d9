import { itemsBodySchema } from '../../lib/orders/http/request-schemas.ts';
import { hasFailed, isStockDecided, orderAnswer } from '../../lib/orders/http/responses.ts';
import { waitFor } from '../../lib/orders/http/wait.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { ownedOrder } from '../../lib/orders/owned.ts';
import { placeOrder } from '../../lib/orders/place-order.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { jsonBody } from '../../lib/platform/http/json-body.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));

export const handler = apiHandler(
  {
    route: 'POST /order',
    access: forUsers(),
    body: jsonBody(itemsBodySchema),
    idempotency: idempotent((body) => hasFailed(service(), body)),
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
