import { awaitOutcome } from '../../lib/orders/http/payment-progress.ts';
import { paymentBodySchema } from '../../lib/orders/http/request-schemas.ts';
import { paymentAnswer } from '../../lib/orders/http/responses.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { startPayment } from '../../lib/orders/start-payment.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { jsonBody } from '../../lib/platform/http/json-body.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));

export const handler = apiHandler(
  {
    route: 'POST /payment',
    access: forUsers(),
    body: jsonBody(paymentBodySchema),
    idempotency: idempotent(),
  },
  async (request) => {
    const payment = await startPayment(service(), {
      userId: request.user.userId,
      orderId: request.body.orderId,
      methodToken: request.body.paymentMethod.token,
      idempotencyKey: request.idempotencyKey,
    });
    const progress = await awaitOutcome(service(), payment.paymentId, request.waitSeconds);
    return paymentAnswer(progress.payment, progress.isUnderWay);
  },
);
