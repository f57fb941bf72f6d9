import type { OrderAnswers } from '../../lib/orders/http/order-examples.ts';
import { toPaymentDocument } from '../../lib/orders/http/responses.ts';
import { orderServiceWith, ownedPayment } from '../../lib/orders/order-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({}));

export const handler = apiHandler(
  {
    route: 'GET /payment/{paymentId}',
    access: forUsers(),
    document: {
      tag: 'Payments',
      summary: 'Look at a payment',
      description: 'The payment as it is now; never its method.',
      answers: {
        200: { description: 'The payment.', example: 'capturedPayment' },
      } satisfies OrderAnswers,
      problems: ['NOT_FOUND'],
    },
  },
  async ({ path, user }) => {
    const { orderId, payment } = await ownedPayment(service(), path.paymentId, user.userId);
    return { status: 200, body: toPaymentDocument(orderId, payment) };
  },
);
