import { describe, expect, test } from 'vitest';
import {
  alsoForOrderService,
  forOrderService,
} from '../../../../../lib/inventory/http/service-access.ts';
import { forUsers } from '../../../../../lib/platform/http/user-access.ts';
import { REQUIRED } from '../../platform/environment.ts';
import { call, issuer, prepare, seen } from '../../platform/http/called-handler.ts';
import { installTestRuntime, NOW_SECONDS, tokenOf } from '../../platform/test-issuer.ts';

prepare();

const CREDENTIAL = REQUIRED.INVENTORY_CREDENTIAL;

describe("access to a service's route", () => {
  const statusWith = async (authorization: string) =>
    (await call({ headers: { authorization } }, { access: forOrderService })).status;

  test('takes the configured credential and no other', async () => {
    expect(await statusWith(`Bearer ${CREDENTIAL}`)).toBe(200);
    expect(seen?.user).toEqual({ userId: '', scopes: new Set() });
    for (const other of ['', 'Bearer ', 'Bearer x', `Bearer ${CREDENTIAL}x`]) {
      expect(await statusWith(other)).toBe(401);
    }
    expect((await call({}, { access: forOrderService })).status).toBe(401);
  });

  test('takes any of several credentials while they are replaced', async () => {
    const [old, next] = ['service-credential-old', 'service-credential-new'];
    installTestRuntime(issuer, NOW_SECONDS, { INVENTORY_CREDENTIAL: `${old},${next}` });
    expect(await statusWith(`Bearer ${old}`)).toBe(200);
    expect(await statusWith(`Bearer ${next}`)).toBe(200);
    expect(await statusWith(`Bearer ${old},${next}`)).toBe(401);
  });

  test("takes no user's token", async () => {
    const token = await tokenOf(issuer, { scope: 'products:write' });
    expect(await statusWith(`Bearer ${token}`)).toBe(401);
  });
});

describe('access for users and the Order Service', () => {
  const endpoint = { access: alsoForOrderService(forUsers()) };
  const statusWith = async (authorization: string) =>
    (await call({ headers: { authorization } }, endpoint)).status;

  test('takes either, and tells them apart', async () => {
    expect(await statusWith(`Bearer ${CREDENTIAL}`)).toBe(200);
    expect(seen?.user).toEqual({ userId: '', scopes: new Set() });
    expect(await statusWith(`Bearer ${await tokenOf(issuer)}`)).toBe(200);
    expect(seen?.user.userId).toBe('alice');
  });

  test('takes nobody else', async () => {
    expect(await statusWith('Bearer x')).toBe(401);
    expect((await call({}, endpoint)).status).toBe(401);
  });
});
