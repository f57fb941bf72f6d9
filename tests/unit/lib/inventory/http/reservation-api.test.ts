import { describe, expect, test } from 'vitest';
import { confirmBody, forOrderService } from '../../../../../lib/inventory/http/reservation-api.ts';
import { orderExamples } from '../../../../../lib/orders/http/order-examples.ts';
import { REQUIRED } from '../../platform/environment.ts';
import { call, issuer, prepare, seen } from '../../platform/http/called-handler.ts';
import { installTestRuntime, NOW_SECONDS, tokenOf } from '../../platform/test-issuer.ts';

prepare();

const CREDENTIAL = REQUIRED.INVENTORY_CREDENTIAL;

/** Inventory knows nothing of the Order Service's examples; these are the source. */
test('the example of a confirmation names a payment as the Order Service does', () => {
  expect(confirmBody.example.paymentId).toBe(orderExamples.pathParameters.paymentId.example);
});

describe("access to a service's route", () => {
  const statusOf = async (headers: Record<string, string>) =>
    (await call({ headers }, { access: forOrderService })).status;
  const statusWith = (credential: string) => statusOf({ 'X-Service-Credential': credential });

  test('takes the configured credential and no other', async () => {
    expect(await statusWith(CREDENTIAL)).toBe(200);
    expect(seen?.user).toEqual({ userId: '', scopes: new Set() });
    for (const other of ['', 'x', `Bearer ${CREDENTIAL}`, `${CREDENTIAL}x`]) {
      expect(await statusWith(other)).toBe(401);
    }
    expect((await call({}, { access: forOrderService })).status).toBe(401);
  });

  test('takes any of several credentials while they are replaced', async () => {
    const [old, next] = ['service-credential-old', 'service-credential-new'];
    installTestRuntime(issuer, NOW_SECONDS, { INVENTORY_CREDENTIAL: `${old},${next}` });
    expect(await statusWith(old)).toBe(200);
    expect(await statusWith(next)).toBe(200);
    expect(await statusWith(`${old},${next}`)).toBe(401);
  });

  test('takes it from no other header', async () => {
    expect(await statusOf({ authorization: `Bearer ${CREDENTIAL}` })).toBe(401);
    // A function URL lets this through.
    expect(await statusOf({ authorization: 'AWS4-HMAC-SHA256 Credential=role' })).toBe(401);
  });

  test("takes no user's token", async () => {
    const token = await tokenOf(issuer, { scope: 'products:write' });
    expect(await statusWith(token)).toBe(401);
  });
});
