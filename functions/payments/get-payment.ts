import { toPaymentDocument } from '../../lib/orders/http/order-view.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { ownedPayment } from '../../lib/orders/owned.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({}));

export const handler = apiHandler(
  { route: 'GET /payment/{paymentId}', access: forUsers() },
  async ({ path, user }) => {
    const payment = await ownedPayment(service(), path['paymentId'] ?? '', user.userId);
    return { status: 200, body: toPaymentDocument(payment) };
  },
);
