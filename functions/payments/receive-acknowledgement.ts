import type { OrderAnswers } from '../../lib/orders/http/order-examples.ts';
import { acknowledgementQueue, acknowledgementSchema } from '../../lib/payments/acknowledgement.ts';
import { forGateway, signatureCheck } from '../../lib/payments/signature-check.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const acknowledgements = perRuntime(acknowledgementQueue);
const requireSigned = perRuntime(signatureCheck);

export const handler = apiHandler(
  {
    route: 'POST /payment/webhook',
    access: forGateway,
    signature: (rawBody, header) => requireSigned()(rawBody, header),
    body: {
      schema: acknowledgementSchema,
      example: {
        eventId: 'evt_2c8f61',
        type: 'charge.updated',
        paymentId: 'pay_5f0c2d9ab8f34e61a7d2c49e01_91b7e0d3c25a4f868e1f7a6b30',
        orderId: 'ord_5f0c2d9ab8f34e61a7d2c49e01',
        status: 'CAPTURED',
        occurredAt: '2026-11-21T09:02:01.000Z',
      },
    },
    document: {
      tag: 'Payments',
      summary: 'Acknowledge a charge',
      description:
        'For the payment gateway. The body is signed; the acknowledgement is kept before it is ' +
        'answered, and an event that comes twice has one effect. Fields that are not listed are ' +
        'passed over.',
      answers: {
        202: {
          description: 'The acknowledgement is stored and will be handled.',
          example: 'accepted',
        },
      } satisfies OrderAnswers,
      problems: ['TEMPORARILY_UNAVAILABLE', 'OVERLOADED'],
    },
  },
  async ({ body, correlationId }) => {
    await acknowledgements().add({ ...body, receivedAs: correlationId });
    return { status: 202, body: { accepted: true } };
  },
);
