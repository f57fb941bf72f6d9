import * as z from 'zod';
import { assertNever } from '../platform/errors.ts';
import type { HttpRequest, HttpResponse } from '../platform/http/http-client.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { moneySchema } from '../platform/schemas.ts';
import type {
  AskedCharge,
  Charge,
  ChargeOutcome,
  PaymentGateway,
  SentStatus,
} from './payment-gateway.ts';
import { ChargeRefused, GatewayThrottled, GatewayUnavailable, GatewayUnknown } from './refusals.ts';

/** Statuses that the gateway sends. The compiler demands each one. */
const chargeStatusSchema = z.enum({
  CAPTURED: 'CAPTURED',
  DECLINED: 'DECLINED',
  VOIDED: 'VOIDED',
  REFUNDED: 'REFUNDED',
  PENDING: 'PENDING',
} as const satisfies { readonly [Status in SentStatus]: Status });

/** A payment that was voided before it was charged has no amount. */
const chargeSchema = z.object({
  paymentId: z.string(),
  amount: z.nullish(moneySchema),
  status: chargeStatusSchema,
  code: z.string().optional(),
});
const chargesSchema = z.object({
  charges: z.array(
    z.object({ paymentId: z.string(), amount: moneySchema, status: chargeStatusSchema }),
  ),
});

/** Answers to a request that may be sent again: its credential or its time was wrong, not the request. */
const LATER: readonly number[] = [401, 403, 408];

/** Reads a status that the gateway sent, with its code; a decline may come without one. */
function chargeOutcomeOf(sent: {
  readonly status: SentStatus;
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
    if (response.status === 429) {
      throw new GatewayThrottled('The payment gateway has too much to do right now.');
    }
    if (response.status >= 500 || LATER.includes(response.status)) {
      throw new GatewayUnavailable(`The payment gateway answered ${String(response.status)}.`);
    }
    return response;
  }

  function read<Schema extends z.ZodType>(schema: Schema, response: HttpResponse): z.infer<Schema> {
    const isDone = response.status >= 200 && response.status < 300;
    const parsed = schema.safeParse(isDone ? response.body : undefined);
    if (parsed.success) return parsed.data;
    throw new GatewayUnknown(
      `The payment gateway answered ${String(response.status)} without a valid charge.`,
      { cause: parsed.error },
    );
  }

  /** Reads the charge that was asked for, and no other. */
  function readCharge({ paymentId, amount }: AskedCharge, response: HttpResponse): ChargeOutcome {
    const charge = read(chargeSchema, response);
    if (charge.paymentId !== paymentId) {
      throw new GatewayUnknown('The payment gateway answered about another payment.');
    }
    const isAsAsked =
      charge.amount?.amount === amount.amount && charge.amount.currency === amount.currency;
    return charge.status === 'CAPTURED' && !isAsAsked
      ? { status: 'MISCHARGED' }
      : chargeOutcomeOf(charge);
  }

  return {
    async charge({ paymentId, orderId, amount, methodToken }) {
      const response = await send({
        method: 'POST',
        url: charges,
        headers: { 'idempotency-key': paymentId },
        body: { orderId, amount, paymentMethod: { token: methodToken } },
      });
      if (response.status >= 400) {
        throw new ChargeRefused(`The payment gateway answered ${String(response.status)}.`);
      }
      return readCharge({ paymentId, amount }, response);
    },
    async findCharge(asked) {
      const response = await send({ method: 'GET', url: `${charges}/${asked.paymentId}` });
      return response.status === 404 ? undefined : readCharge(asked, response);
    },
    async listCharges(orderId): Promise<readonly Charge[]> {
      const url = `${charges}?orderId=${encodeURIComponent(orderId)}`;
      return read(chargesSchema, await send({ method: 'GET', url })).charges;
    },
    async void({ paymentId, orderId, amount }) {
      const url = `${charges}/${paymentId}/void`;
      const response = await send({ method: 'POST', url, body: { orderId, amount } });
      // A gateway that keeps no tombstones has nothing to void.
      return response.status === 404
        ? { status: 'VOIDED' }
        : readCharge({ paymentId, amount }, response);
    },
    async refund(asked) {
      const url = `${charges}/${asked.paymentId}/refund`;
      return readCharge(asked, await send({ method: 'POST', url, body: {} }));
    },
  };
}
