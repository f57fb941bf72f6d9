import {
  acknowledgementQueue,
  acknowledgementSchema,
  signatureCheck,
} from '../../lib/payments/acknowledgement.ts';
import { apiHandler } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const acknowledgements = perRuntime(acknowledgementQueue);
const requireSigned = perRuntime(signatureCheck);

export const handler = apiHandler(
  {
    route: 'POST /payment/webhook',
    access: 'public',
    verify: (rawBody, header) => requireSigned()(rawBody, header),
    body: acknowledgementSchema,
  },
  async ({ body, correlationId }) => {
    await acknowledgements().add({ ...body, receivedAs: correlationId });
    return { status: 202, body: { accepted: true } };
  },
);
