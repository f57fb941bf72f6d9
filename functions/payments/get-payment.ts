import { orderService } from '../../lib/orders/order-service.ts';
import { toPaymentDocument } from '../../lib/orders/order-view.ts';
import { ownedPayment } from '../../lib/orders/owned.ts';
import { apiHandler } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderService);

export const handler = apiHandler(
  { route: 'GET /payment/{paymentId}', access: 'user' },
  async ({ path, user }) => {
    const payment = await ownedPayment(service(), path['paymentId'] ?? '', user.userId);
    return { status: 200, body: toPaymentDocument(payment) };
  },
);
