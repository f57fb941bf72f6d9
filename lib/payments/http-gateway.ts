import * as z from 'zod';
import type { HttpRequest, HttpResponse } from '../platform/http/http-client.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { moneySchema } from '../platform/schemas.ts';
import type { Charge, ChargeOutcome, PaymentGateway } from './payment-gateway.ts';
import { GatewayUnavailable, GatewayUnknown } from './refusals.ts';

const statusSchema = z.enum(['CAPTURED', 'DECLINED', 'PENDING', 'VOIDED', 'REFUNDED']);
const chargeSchema = z.object({ status: statusSchema, code: z.string().optional() });
const chargesSchema = z.object({
  charges: z.array(z.object({ paymentId: z.string(), amount: moneySchema, status: statusSchema })),
});

/** Payment gateway over HTTP at `GATEWAY_URL`. The payment id is the idempotency key. */
export function httpPaymentGateway(runtime: Runtime): PaymentGateway {
  const { GATEWAY_URL: baseUrl, GATEWAY_TIMEOUT_MS: timeoutMs } = runtime.config;
  const charges = `${baseUrl}/charges`;

  async function call(request: Omit<HttpRequest, 'timeoutMs'>): Promise<HttpResponse> {
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

  function outcome(response: HttpResponse): ChargeOutcome {
    const { status, code } = read(chargeSchema, response);
    return status === 'DECLINED' ? { status, code: code ?? 'DECLINED' } : { status };
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
      return outcome(
        await call({
          method: 'POST',
          url: charges,
          headers: { 'idempotency-key': paymentId },
          body: { orderId, amount, paymentMethod: { token: methodToken } },
        }),
      );
    },
    async findCharge(paymentId) {
      const response = await call({ method: 'GET', url: `${charges}/${paymentId}` });
      return response.status === 404 ? undefined : outcome(response);
    },
    async listCharges(orderId): Promise<readonly Charge[]> {
      const url = `${charges}?orderId=${encodeURIComponent(orderId)}`;
      return read(chargesSchema, await call({ method: 'GET', url })).charges;
    },
    async void({ paymentId, orderId, amount }) {
      return outcome(
        await call({
          method: 'POST',
          url: `${charges}/${paymentId}/void`,
          body: { orderId, amount },
        }),
      );
    },
    async refund(paymentId) {
      return outcome(
        await call({ method: 'POST', url: `${charges}/${paymentId}/refund`, body: {} }),
      );
    },
  };
}
