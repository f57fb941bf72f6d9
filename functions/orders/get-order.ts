import type { OrderAnswers } from '../../lib/orders/http/order-examples.ts';
import { currentOrderAnswer } from '../../lib/orders/http/responses.ts';
import { waitFor } from '../../lib/orders/http/wait.ts';
import { orderServiceWith, ownedOrder } from '../../lib/orders/order-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { etagOf, isKnown, unlessKnown } from '../../lib/platform/http/etag.ts';
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
    const read = () => ownedOrder(service(), path['orderId'] ?? '', user.userId);
    const order = await waitFor(
      service(),
      waitSeconds,
      await read(),
      (seen) => !isKnown(ifNoneMatch, etagOf(seen)),
      read,
    );
    return unlessKnown(ifNoneMatch, currentOrderAnswer(service(), order));
  },
);
