import { describe, expect, test } from 'vitest';
import { httpPaymentGateway } from '../../../../lib/payments/http-gateway.ts';
import { GatewayUnavailable, GatewayUnknown } from '../../../../lib/payments/refusals.ts';
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

describe('the charge of a payment', () => {
  test.each([
    [{ status: 'CAPTURED', code: 'IGNORED' }, { status: 'CAPTURED' }],
    [{ status: 'PENDING' }, { status: 'PENDING' }],
    [
      { status: 'DECLINED', code: 'CARD_STOLEN' },
      { status: 'DECLINED', code: 'CARD_STOLEN' },
    ],
    [{ status: 'DECLINED' }, { status: 'DECLINED', code: 'DECLINED' }],
  ])('%j is %j', async (body, outcome) => {
    expect(await answering(200, body).gateway.findCharge('pay_1')).toEqual(outcome);
  });

  test('is unknown to the gateway only if it says so', async () => {
    expect(await answering(404, undefined).gateway.findCharge('pay_1')).toBeUndefined();
    const answer = answering(200, undefined).gateway.findCharge('pay_1');
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
    [429, undefined, GatewayUnavailable],
    [404, { code: 'NOT_FOUND' }, GatewayUnknown],
    [200, { charges: [{ ...CAPTURED, status: 'LOST' }] }, GatewayUnknown],
    [200, {}, GatewayUnknown],
  ])('are not known where it answers %i %j', async (status, body, error) => {
    await expect(answering(status, body).gateway.listCharges('ord_1')).rejects.toThrow(error);
  });
});
