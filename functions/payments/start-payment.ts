import { paymentBodyExample, paymentBodySchema } from '../../lib/orders/http/request-schemas.ts';
import { paymentAnswer } from '../../lib/orders/http/responses.ts';
import { PAYMENT_ANSWERS } from '../../lib/orders/http/shared-answers.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { startPayment } from '../../lib/orders/start-payment.ts';
import { possibleId } from '../../lib/outside-ids.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));

export const handler = apiHandler(
  {
    route: 'POST /payment',
    access: forUsers(),
    body: { schema: paymentBodySchema, example: paymentBodyExample },
    idempotency: idempotent(),
    headers: ['Prefer'],
    document: {
      tag: 'Payments',
      summary: 'Pay an order',
      description:
        'Charges the total of an order that is `PENDING_PAYMENT`. One payment of an order is open at ' +
        'a time: while one is, it is the answer.',
      answers: PAYMENT_ANSWERS,
      problems: [
        'PAYMENT_DECLINED',
        'PAYMENT_FAILED',
        'NOT_FOUND',
        'ILLEGAL_TRANSITION',
        'RESERVATION_EXPIRED',
        'CONCURRENT_UPDATE',
      ],
    },
  },
  async (request) => {
    const started = await startPayment(service(), {
      userId: request.user.userId,
      orderId: possibleId('orderId', request.body.orderId),
      methodToken: request.body.paymentMethod.token,
      idempotencyKey: request.idempotencyKey,
    });
    return paymentAnswer(service(), started, request.waitSeconds);
  },
);
