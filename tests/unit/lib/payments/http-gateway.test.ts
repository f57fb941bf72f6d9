import { describe, expect, test } from 'vitest';
import { httpPaymentGateway } from '../../../../lib/payments/http-gateway.ts';
import {
  ChargeRefused,
  GatewayThrottled,
  GatewayUnavailable,
  GatewayUnknown,
} from '../../../../lib/payments/refusals.ts';
import type { HttpRequest } from '../../../../lib/platform/http/http-client.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';

/** A gateway over HTTP with one response to everything. */
function answering(status: number, body: unknown) {
  const requests: HttpRequest[] = [];
  const runtime = {
    config: { GATEWAY_URL: 'https://gateway.example', GATEWAY_TIMEOUT_MS: 5000 },
    http: (request: HttpRequest) => {
      requests.push(request);
      return Promise.resolve({ status, headers: new Headers(), body });
    },
  };
  return { requests, gateway: httpPaymentGateway(runtime as unknown as Runtime) };
}

const CAPTURED = {
  paymentId: 'pay_1',
  amount: { amount: 1299, currency: 'EUR' },
  status: 'CAPTURED',
};

const ASKED = { paymentId: 'pay_1', amount: CAPTURED.amount };
const REQUEST = { ...ASKED, orderId: 'ord_1', methodToken: 'tok_ok' };

describe('the charge of a payment', () => {
  test.each([
    [{ status: 'CAPTURED', code: 'IGNORED' }, { status: 'CAPTURED' }],
    [{ status: 'CAPTURED', amount: { amount: 1298, currency: 'EUR' } }, { status: 'MISCHARGED' }],
    [
      { status: 'CAPTURED', amount: { amount: 129_900, currency: 'EUR' } },
      { status: 'MISCHARGED' },
    ],
    [{ status: 'CAPTURED', amount: { amount: 1299, currency: 'JPY' } }, { status: 'MISCHARGED' }],
    [{ status: 'CAPTURED', amount: null }, { status: 'MISCHARGED' }],
    [{ status: 'VOIDED', amount: null }, { status: 'VOIDED' }],
    [{ status: 'PENDING' }, { status: 'PENDING' }],
    [
      { status: 'DECLINED', code: 'CARD_STOLEN' },
      { status: 'DECLINED', code: 'CARD_STOLEN' },
    ],
    [{ status: 'DECLINED' }, { status: 'DECLINED', code: 'DECLINED' }],
  ])('%j is %j', async (body, outcome) => {
    const { gateway } = answering(200, { ...CAPTURED, ...body });
    expect(await gateway.findCharge(ASKED)).toEqual(outcome);
    expect(await gateway.charge(REQUEST)).toEqual(outcome);
    expect(await gateway.void(REQUEST)).toEqual(outcome);
    expect(await gateway.refund(ASKED)).toEqual(outcome);
  });

  test.each([
    [200, { ...CAPTURED, paymentId: 'pay_2' }],
    [200, { status: 'CAPTURED' }],
    [200, 'captured'],
    [302, CAPTURED],
  ])('is not what %i %j says: that is no answer', async (status, body) => {
    const { gateway } = answering(status, body);
    await expect(gateway.findCharge(ASKED)).rejects.toThrow(GatewayUnknown);
    await expect(gateway.charge(REQUEST)).rejects.toThrow(GatewayUnknown);
    await expect(gateway.void(REQUEST)).rejects.toThrow(GatewayUnknown);
    await expect(gateway.refund(ASKED)).rejects.toThrow(GatewayUnknown);
  });

  test.each([400, 402, 404, 409, 422])(
    'is refused where a %i answers it, whatever it says',
    async (status) => {
      const { gateway } = answering(status, CAPTURED);
      await expect(gateway.charge(REQUEST)).rejects.toThrow(ChargeRefused);
    },
  );

  test.each([
    [401, GatewayUnavailable],
    [403, GatewayUnavailable],
    [408, GatewayUnavailable],
    [429, GatewayThrottled],
    [500, GatewayUnavailable],
    [503, GatewayUnavailable],
  ])('may be asked for later where a %i answers', async (status, error) => {
    const { gateway } = answering(status, CAPTURED);
    await expect(gateway.charge(REQUEST)).rejects.toThrow(error);
    await expect(gateway.findCharge(ASKED)).rejects.toThrow(error);
  });

  test('is voided if the gateway has no such charge', async () => {
    expect(await answering(404, undefined).gateway.void(REQUEST)).toEqual({ status: 'VOIDED' });
  });

  test('is unknown to the gateway only if it says so', async () => {
    expect(await answering(404, undefined).gateway.findCharge(ASKED)).toBeUndefined();
    const answer = answering(200, undefined).gateway.findCharge(ASKED);
    await expect(answer).rejects.toThrow(GatewayUnknown);
  });
});

describe('the charges of an order', () => {
  test('are what the gateway lists, without what else it says of them', async () => {
    const { gateway, requests } = answering(200, { charges: [{ ...CAPTURED, chargeId: 'ch_1' }] });
    expect(await gateway.listCharges('ord/1')).toEqual([CAPTURED]);
    expect(requests).toEqual([
      {
        method: 'GET',
        url: 'https://gateway.example/charges?orderId=ord%2F1',
        timeoutMs: 5000,
      },
    ]);
  });

  test('may be none', async () => {
    expect(await answering(200, { charges: [] }).gateway.listCharges('ord_1')).toEqual([]);
  });

  test.each([
    [503, undefined, GatewayUnavailable],
    [429, undefined, GatewayThrottled],
    [404, { code: 'NOT_FOUND' }, GatewayUnknown],
    [200, { charges: [{ ...CAPTURED, status: 'LOST' }] }, GatewayUnknown],
    [200, {}, GatewayUnknown],
  ])('are not known where it answers %i %j', async (status, body, error) => {
    await expect(answering(status, body).gateway.listCharges('ord_1')).rejects.toThrow(error);
  });
});
