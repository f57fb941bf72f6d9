import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { itemsBodySchema } from '../../lib/orders/http/request-schemas.ts';
import { isModificationDecided, modificationAnswer } from '../../lib/orders/http/responses.ts';
import { waitFor } from '../../lib/orders/http/wait.ts';
import { modifyOrder } from '../../lib/orders/modify-order.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { ownedOrder, requestDigest } from '../../lib/orders/owned.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { versionOf } from '../../lib/platform/http/etag.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { jsonBody } from '../../lib/platform/http/json-body.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ inventory: inventoryClient, saga: sagaClient }));
const route = 'PUT /order/{orderId}';

export const handler = apiHandler(
  { route, access: forUsers(), body: jsonBody(itemsBodySchema), idempotency: idempotent() },
  async ({ path, user: { userId }, body, header, idempotencyKey, waitSeconds }) => {
    const orderId = path['orderId'] ?? '';
    const modified = await modifyOrder(service(), {
      orderId,
      userId,
      items: body.items,
      ifVersion: versionOf(header('if-match')),
      request: requestDigest(userId, route, idempotencyKey),
    });
    const order = await waitFor(service(), waitSeconds, modified, isModificationDecided, () =>
      ownedOrder(service(), orderId, userId),
    );
    return modificationAnswer(service(), order);
  },
);
