import { hasFailed, orderAnswer } from '../../lib/orders/http/responses.ts';
import {
  PLACED_ORDER_ANSWERS,
  UNFULFILLED_ORDER_PROBLEMS,
} from '../../lib/orders/http/shared-answers.ts';
import {
  orderServiceWith,
  ownedOrder,
  requestDigest,
  retryOnConflict,
} from '../../lib/orders/order-service.ts';
import { retryOrder } from '../../lib/orders/retry-order.ts';
import { sagaClient, tryNow } from '../../lib/orders/saga-client.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));
const route = 'POST /order/retryorder/{orderId}';

export const handler = apiHandler(
  {
    route,
    access: forUsers(),
    idempotency: idempotent({
      isOutdated: (body) => hasFailed(service(), body),
      storesRefused: true,
    }),
    headers: ['Prefer'],
    document: {
      tag: 'Orders',
      summary: 'Retry a failed order',
      description: 'Runs an order again that is `ORDER_FAILED`; answers as placing one does.',
      answers: PLACED_ORDER_ANSWERS,
      problems: [
        ...UNFULFILLED_ORDER_PROBLEMS,
        'NOT_FOUND',
        'ILLEGAL_TRANSITION',
        'TOO_MANY_OPEN_ORDERS',
        'CONCURRENT_UPDATE',
      ],
    },
  },
  async ({ path, user: { userId }, idempotencyKey, waitSeconds }) => {
    const digest = requestDigest(userId, route, idempotencyKey);
    const retried = await retryOnConflict(service(), async () => {
      const order = await ownedOrder(service(), path.orderId, userId);
      return retryOrder(service(), order, digest);
    });
    if (retried.status === 'CREATED') await tryNow(retried, service().saga.start(retried));
    return orderAnswer(service(), retried, waitSeconds);
  },
);
