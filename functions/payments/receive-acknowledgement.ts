import type { OrderAnswers } from '../../lib/orders/http/order-examples.ts';
import { acknowledgementQueue, webhookBodySchema } from '../../lib/payments/acknowledgement.ts';
import { forGateway, signatureCheck } from '../../lib/payments/signature-check.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { observe } from '../../lib/platform/lambda/observe.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const acknowledgements = perRuntime(acknowledgementQueue);
const requireSigned = perRuntime(signatureCheck);

export const handler = apiHandler(
  {
    route: 'POST /payment/webhook',
    access: forGateway,
    signature: (rawBody, header) => requireSigned()(rawBody, header),
    body: {
      // A provider switches an endpoint off that refuses its events.
      isLenient: true,
      schema: webhookBodySchema,
      example: {
        eventId: 'evt_2c8f61',
        type: 'charge.updated',
        paymentId: 'pay_5f0c2d9ab8f34e61a7d2c49e01_91b7e0d3c25a4f868e1f7a6b30',
        orderId: 'ord_5f0c2d9ab8f34e61a7d2c49e01',
      },
    },
    document: {
      tag: 'Payments',
      summary: 'Acknowledge a charge',
      description:
        'For the payment gateway. The body is signed; an event is kept before it is answered. It only says ' +
        'which charge to look up at the gateway, so it may come twice or out of order, and nothing else in ' +
        'it is believed. A signed event that names no payment is counted, and answered the same.',
      answers: {
        202: {
          description: 'The event is stored and will be handled, or concerns no payment.',
          example: 'accepted',
        },
      } satisfies OrderAnswers,
      problems: ['TEMPORARILY_UNAVAILABLE', 'OVERLOADED'],
    },
  },
  async ({ body, correlationId }) => {
    if (body === undefined) observe('EventNotUnderstood', { correlationId }, {});
    else await acknowledgements().add({ ...body, receivedAs: correlationId });
    return { status: 202, body: { accepted: true } };
  },
);
