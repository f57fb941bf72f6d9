import { paymentAnswer } from '../../lib/orders/answers.ts';
import { paymentBodySchema } from '../../lib/orders/order-requests.ts';
import { orderService } from '../../lib/orders/order-service.ts';
import { awaitOutcome } from '../../lib/orders/payment-progress.ts';
import { retryPayment } from '../../lib/orders/retry-payment.ts';
import { apiHandler } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderService);

export const handler = apiHandler(
  { route: 'POST /retrypayment', access: 'user', body: paymentBodySchema, idempotent: true },
  async (request) => {
    const payment = await retryPayment(service(), {
      userId: request.user.userId,
      orderId: request.body.orderId,
      methodToken: request.body.paymentMethod.token,
      idempotencyKey: request.idempotencyKey,
    });
    const progress = await awaitOutcome(service(), payment.paymentId, request.waitSeconds);
    return paymentAnswer(progress.payment, progress.isUnderWay);
  },
);
