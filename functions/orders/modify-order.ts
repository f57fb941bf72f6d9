import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { MAX_MODIFICATIONS_PER_ORDER } from '../../lib/limits.ts';
import type { OrderAnswers } from '../../lib/orders/http/order-examples.ts';
import { itemsBodySchema } from '../../lib/orders/http/request-schemas.ts';
import { modificationAnswer } from '../../lib/orders/http/responses.ts';
import { modifyOrder } from '../../lib/orders/modify-order.ts';
import { orderServiceWith, requestDigest } from '../../lib/orders/order-service.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { versionOf } from '../../lib/platform/http/read-request.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ inventory: inventoryClient, saga: sagaClient }));
const route = 'PUT /order/{orderId}';

export const handler = apiHandler(
  {
    route,
    access: forUsers(),
    body: {
      schema: itemsBodySchema,
      example: { items: [{ productId: 'prod-coffee', quantity: 1 }] },
    },
    idempotency: idempotent(),
    headers: ['Prefer', 'If-Match'],
    document: {
      tag: 'Orders',
      summary: 'Change the items of an order',
      description:
        'Replaces the items while the order waits for a payment, is being paid, or after a payment ' +
        'failed. The old items and total stand until the new ones are reserved. At most ' +
        `${String(MAX_MODIFICATIONS_PER_ORDER)} times.`,
      answers: {
        200: {
          description: 'The change is made; the order as it is now.',
          example: 'modifiedOrder',
          headers: ['ETag'],
        },
        202: {
          description:
            'The change is stored and not decided yet: read the order again, or send `Prefer: wait=10`.',
          example: 'modifyingOrder',
          headers: ['ETag', 'Retry-After'],
        },
      } satisfies OrderAnswers,
      problems: [
        'NOT_FOUND',
        'PRECONDITION_FAILED',
        'BAD_QUANTITY',
        'ILLEGAL_TRANSITION',
        'MODIFICATION_PENDING',
        'MODIFICATION_REJECTED',
        'RESERVATION_EXPIRED',
        'TOO_MANY_OPEN_ORDERS',
        'CONCURRENT_UPDATE',
        'UNKNOWN_PRODUCT',
        'OUT_OF_STOCK',
        'TOO_MANY_PIECES',
        'PRODUCT_UNAVAILABLE',
        'MIXED_CURRENCIES',
        'ORDER_FAILED',
        'INVENTORY_UNAVAILABLE',
        'INVENTORY_TIMEOUT',
        'INVENTORY_RESTARTING',
        'LOCK_CONTENTION',
        'CACHE_TIMEOUT',
      ],
    },
  },
  async ({ path, user: { userId }, body, header, idempotencyKey, waitSeconds }) => {
    const modified = await modifyOrder(service(), {
      orderId: path.orderId,
      userId,
      items: body.items,
      ifVersion: versionOf(header('If-Match')),
      request: requestDigest(userId, route, idempotencyKey),
    });
    return modificationAnswer(service(), modified, waitSeconds);
  },
);
