import { paymentBodyExample, paymentBodySchema } from '../../lib/orders/http/request-schemas.ts';
import { paymentAnswer } from '../../lib/orders/http/responses.ts';
import { PAYMENT_ANSWERS } from '../../lib/orders/http/shared-answers.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { retryPayment } from '../../lib/orders/retry-payment.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { possibleId } from '../../lib/outside-ids.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));

export const handler = apiHandler(
  {
    route: 'POST /retrypayment',
    access: forUsers(),
    body: { schema: paymentBodySchema, example: paymentBodyExample },
    idempotency: idempotent(),
    headers: ['Prefer'],
    document: {
      tag: 'Payments',
      summary: 'Retry a failed payment',
      description:
        'For an order that is `PAYMENT_FAILED`: reserves its stock again, then charges the same ' +
        'prices. Refused while an earlier payment is not settled.',
      answers: PAYMENT_ANSWERS,
      problems: [
        'PAYMENT_DECLINED',
        'PAYMENT_FAILED',
        'NOT_FOUND',
        'ILLEGAL_TRANSITION',
        'PAYMENT_UNSETTLED',
        'TOO_MANY_OPEN_ORDERS',
        'CONCURRENT_UPDATE',
      ],
    },
  },
  async (request) => {
    const started = await retryPayment(service(), {
      userId: request.user.userId,
      orderId: possibleId('orderId', request.body.orderId),
      methodToken: request.body.paymentMethod.token,
      idempotencyKey: request.idempotencyKey,
    });
    return paymentAnswer(service(), started, request.waitSeconds);
  },
);
