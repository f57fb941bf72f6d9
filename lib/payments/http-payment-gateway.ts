import { z } from 'zod';
import type { HttpRequest, HttpResponse } from '../platform/http-client.ts';
import type { Runtime } from '../platform/runtime.ts';
import { GatewayUnavailable, GatewayUnknown } from './errors.ts';
import type { ChargeOutcome, PaymentGateway } from './payment-gateway.ts';

const chargeSchema = z.object({
  status: z.enum(['CAPTURED', 'DECLINED', 'PENDING', 'VOIDED', 'REFUNDED']),
  code: z.string().optional(),
});

/** The payment gateway over HTTP at `GATEWAY_URL`; the payment id is its idempotency key. */
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
    const parsed = chargeSchema.safeParse(response.body);
    if (!parsed.success) {
      throw new GatewayUnknown(
        `The payment gateway answered ${String(response.status)} and no charge.`,
      );
    }
    const { status, code } = parsed.data;
    return status === 'DECLINED' ? { status, code: code ?? 'DECLINED' } : { status };
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
    async find(paymentId) {
      const response = await call({ method: 'GET', url: `${charges}/${paymentId}` });
      return response.status === 404 ? undefined : outcome(response);
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
