import * as z from 'zod';
import { assertNever } from '../platform/errors.ts';
import type { HttpRequest, HttpResponse } from '../platform/http/http-client.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { moneySchema } from '../platform/schemas.ts';
import type { Charge, ChargeOutcome, PaymentGateway } from './payment-gateway.ts';
import { GatewayUnavailable, GatewayUnknown } from './refusals.ts';

/** Statuses that the gateway sends, in its responses and in its acknowledgements. The compiler demands each one. */
export const chargeStatusSchema = z.enum({
  CAPTURED: 'CAPTURED',
  DECLINED: 'DECLINED',
  VOIDED: 'VOIDED',
  REFUNDED: 'REFUNDED',
  PENDING: 'PENDING',
} as const satisfies { readonly [Status in ChargeOutcome['status']]: Status });

const chargeSchema = z
  .object({ status: chargeStatusSchema, code: z.string().optional() })
  .transform(chargeOutcomeOf);
const chargesSchema = z.object({
  charges: z.array(
    z.object({ paymentId: z.string(), amount: moneySchema, status: chargeStatusSchema }),
  ),
});

/** Reads a status that the gateway sent, with its code; a decline may come without one. */
export function chargeOutcomeOf(sent: {
  readonly status: ChargeOutcome['status'];
  readonly code?: string | undefined;
}): ChargeOutcome {
  const { status, code } = sent;
  switch (status) {
    case 'DECLINED':
      return { status, code: code ?? 'DECLINED' };
    case 'CAPTURED':
    case 'VOIDED':
    case 'REFUNDED':
    case 'PENDING':
      return { status };
    default:
      return assertNever(status);
  }
}

/** Payment gateway over HTTP at `GATEWAY_URL`. The payment id is the idempotency key. */
export function httpPaymentGateway(runtime: Runtime): PaymentGateway {
  const { GATEWAY_URL: baseUrl, GATEWAY_TIMEOUT_MS: timeoutMs } = runtime.config;
  const charges = `${baseUrl}/charges`;

  async function send(request: Omit<HttpRequest, 'timeoutMs'>): Promise<HttpResponse> {
    let response: HttpResponse;
    try {
      response = await runtime.http({ ...request, timeoutMs });
    } catch (error) {
      throw new GatewayUnknown('The payment gateway did not answer.', { cause: error });
    }
    if (response.status >= 500 || response.status === 429) {
      throw new GatewayUnavailable(`The payment gateway answered ${String(response.status)}.`);
    }
    return response;
  }

  function read<Schema extends z.ZodType>(schema: Schema, response: HttpResponse): z.infer<Schema> {
    const parsed = schema.safeParse(response.body);
    if (parsed.success) return parsed.data;
    throw new GatewayUnknown(
      `The payment gateway answered ${String(response.status)} without a valid charge.`,
      { cause: parsed.error },
    );
  }

  return {
    async charge({ paymentId, orderId, amount, methodToken }) {
      const response = await send({
        method: 'POST',
        url: charges,
        headers: { 'idempotency-key': paymentId },
        body: { orderId, amount, paymentMethod: { token: methodToken } },
      });
      return read(chargeSchema, response);
    },
    async findCharge(paymentId) {
      const response = await send({ method: 'GET', url: `${charges}/${paymentId}` });
      return response.status === 404 ? undefined : read(chargeSchema, response);
    },
    async listCharges(orderId): Promise<readonly Charge[]> {
      const url = `${charges}?orderId=${encodeURIComponent(orderId)}`;
      return read(chargesSchema, await send({ method: 'GET', url })).charges;
    },
    async void({ paymentId, orderId, amount }) {
      const url = `${charges}/${paymentId}/void`;
      return read(chargeSchema, await send({ method: 'POST', url, body: { orderId, amount } }));
    },
    async refund(paymentId) {
      const url = `${charges}/${paymentId}/refund`;
      return read(chargeSchema, await send({ method: 'POST', url, body: {} }));
    },
  };
}
