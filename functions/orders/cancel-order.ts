import { cancelOrder } from '../../lib/orders/cancel-order.ts';
import type { OrderAnswers } from '../../lib/orders/http/order-examples.ts';
import { currentOrderAnswer } from '../../lib/orders/http/responses.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));

export const handler = apiHandler(
  {
    route: 'POST /order/cancelorder/{orderId}',
    access: forUsers(),
    idempotency: idempotent(),
    document: {
      tag: 'Orders',
      summary: 'Cancel an order',
      description:
        'Cancels the order unless it is being paid, paid or invalid, and gives its stock back. ' +
        'Repeating it is harmless.',
      answers: {
        200: {
          description: 'The order is cancelled.',
          example: 'cancelledOrder',
          headers: ['ETag'],
        },
      } satisfies OrderAnswers,
      problems: ['NOT_FOUND', 'ILLEGAL_TRANSITION', 'CONCURRENT_UPDATE'],
    },
  },
  async ({ path, user }) => {
    const order = await cancelOrder(service(), path.orderId, user.userId);
    return currentOrderAnswer(service(), order);
  },
);
