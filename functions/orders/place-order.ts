import { itemsBodySchema } from '../../lib/orders/http/request-schemas.ts';
import { hasFailed, orderAnswer } from '../../lib/orders/http/responses.ts';
import {
  PLACED_ORDER_ANSWERS,
  UNFULFILLED_ORDER_PROBLEMS,
} from '../../lib/orders/http/shared-answers.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { placeOrder } from '../../lib/orders/place-order.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));

export const handler = apiHandler(
  {
    route: 'POST /order',
    access: forUsers(),
    body: {
      schema: itemsBodySchema,
      example: { items: [{ productId: 'prod-coffee', quantity: 2 }] },
    },
    idempotency: idempotent({
      isOutdated: (body) => hasFailed(service(), body),
      storesRefused: true,
    }),
    headers: ['Prefer', 'X-Allow-Duplicate'],
    document: {
      tag: 'Orders',
      summary: 'Place an order',
      description:
        'Stores the order and reserves its stock. With `Prefer: wait=10` it answers when the stock is ' +
        'decided. An order with a quantity that is out of range is stored as `INVALID`. The same key ' +
        'on an order that has failed since runs it again.',
      answers: PLACED_ORDER_ANSWERS,
      problems: [
        ...UNFULFILLED_ORDER_PROBLEMS,
        'DUPLICATE_ORDER',
        'ORDER_IN_FLIGHT',
        'TOO_MANY_OPEN_ORDERS',
        'CONCURRENT_UPDATE',
        'ILLEGAL_TRANSITION',
      ],
    },
  },
  async (request) => {
    const placed = await placeOrder(service(), {
      userId: request.user.userId,
      items: request.body.items,
      idempotencyKey: request.idempotencyKey,
      allowDuplicate: request.header('X-Allow-Duplicate') === 'true',
      correlationId: request.correlationId,
    });
    return orderAnswer(service(), placed, request.waitSeconds);
  },
);
