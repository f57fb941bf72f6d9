import { acknowledgementQueue, acknowledgementSchema } from '../../lib/payments/acknowledgement.ts';
import { signatureCheck } from '../../lib/payments/signature-check.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forEveryone } from '../../lib/platform/http/for-everyone.ts';
import { jsonBody } from '../../lib/platform/http/json-body.ts';
import { signedBody } from '../../lib/platform/http/signed-body.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const acknowledgements = perRuntime(acknowledgementQueue);
const requireSigned = perRuntime(signatureCheck);

export const handler = apiHandler(
  {
    route: 'POST /payment/webhook',
    access: forEveryone,
    signature: signedBody((rawBody, header) => requireSigned()(rawBody, header)),
    body: jsonBody(acknowledgementSchema),
  },
  async ({ body, correlationId }) => {
    await acknowledgements().add({ ...body, receivedAs: correlationId });
    return { status: 202, body: { accepted: true } };
  },
);
