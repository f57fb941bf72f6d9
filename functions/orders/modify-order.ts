import { isModificationDecided, modificationAnswer } from '../../lib/orders/answers.ts';
import { modifyOrder } from '../../lib/orders/modify-order.ts';
import { itemsBodySchema } from '../../lib/orders/order-requests.ts';
import { orderService } from '../../lib/orders/order-service.ts';
import { ownedOrder, requestDigest } from '../../lib/orders/owned.ts';
import { waitFor } from '../../lib/orders/wait.ts';
import { apiHandler, versionOf } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderService);
const route = 'PUT /order/{orderId}';

export const handler = apiHandler(
  { route, access: 'user', body: itemsBodySchema, idempotent: true },
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
