import { ClientWait } from '../../lib/orders/http/client-wait.ts';
import type { OrderAnswers } from '../../lib/orders/http/order-examples.ts';
import { currentOrderAnswer } from '../../lib/orders/http/responses.ts';
import type { Order } from '../../lib/orders/order.ts';
import { orderServiceWith, ownedOrder } from '../../lib/orders/order-service.ts';
import { etagOf, isKnown, unlessKnown } from '../../lib/platform/http/answer-headers.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({}));

export const handler = apiHandler(
  {
    route: 'GET /order/{orderId}',
    access: forUsers(),
    headers: ['If-None-Match', 'Prefer'],
    document: {
      tag: 'Orders',
      summary: 'Look at an order',
      description:
        'The order as it is now, with its history and the calls it allows. ' +
        '`If-None-Match` and `Prefer: wait=N` together wait for its next change.',
      answers: {
        200: { description: 'The order.', example: 'reservedOrder', headers: ['ETag'] },
      } satisfies OrderAnswers,
      problems: ['NOT_FOUND'],
    },
  },
  async ({ path, user, header, waitSeconds }) => {
    const ifNoneMatch = header('If-None-Match');
    const wait = new ClientWait(service(), waitSeconds);
    let order: Order;
    do {
      order = await ownedOrder(service(), path.orderId, user.userId);
    } while (isKnown(ifNoneMatch, etagOf(order)) && (await wait.pause()));
    return unlessKnown(ifNoneMatch, currentOrderAnswer(service(), order));
  },
);
