import { exportJWK, generateKeyPair, importJWK, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { InfrastructureUnavailable, Unauthenticated } from '../../../../../lib/platform/errors.ts';
import { forUsers } from '../../../../../lib/platform/http/user-access.ts';
import { REQUIRED } from '../environment.ts';
import {
  installTestRuntime,
  type KeyService,
  NOW_SECONDS,
  startTestIssuer,
  type TestIssuer,
  tokenOf,
} from '../test-issuer.ts';

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await startTestIssuer();
});
afterAll(() => issuer.stop());
beforeEach(() => {
  issuer.behave('answers');
  installTestRuntime(issuer);
});

async function whoHas(token: string) {
  const { userId, scopes } = await forUsers().authenticate(token);
  return { userId, scopes: [...scopes] };
}

describe("a user's token", () => {
  test('that is good names the user and the scopes', async () => {
    expect(await whoHas(await tokenOf(issuer, { scope: 'openid products:write' }))).toEqual({
      userId: 'alice',
      scopes: ['openid', 'products:write'],
    });
  });

  test.each([undefined, '', 7, ['products:write'], null])(
    'with the scope %j gives no scope',
    async (scope) => {
      expect(await whoHas(await tokenOf(issuer, { scope }))).toEqual({
        userId: 'alice',
        scopes: [],
      });
    },
  );

  test('may be for several audiences', async () => {
    const aud = ['other-api', REQUIRED.JWT_AUDIENCE];
    expect(await whoHas(await tokenOf(issuer, { aud }))).toMatchObject({ userId: 'alice' });
  });

  test('expires by the injected clock, to the second', async () => {
    const token = await tokenOf(issuer, { exp: NOW_SECONDS + 60 });
    installTestRuntime(issuer, NOW_SECONDS + 59);
    expect(await whoHas(token)).toMatchObject({ userId: 'alice' });
    installTestRuntime(issuer, NOW_SECONDS + 60);
    await expect(whoHas(token)).rejects.toThrow(/expired; get a new one/);
    await expect(whoHas(token)).rejects.toBeInstanceOf(Unauthenticated);
  });

  test.each([
    ['of another issuer', { iss: 'https://evil.example/' }],
    ['of no issuer', { iss: undefined }],
    ['for another audience', { aud: 'other-api' }],
    ['for no audience', { aud: undefined }],
    ['without a subject', { sub: undefined }],
    ['with an empty subject', { sub: '' }],
    ['with a subject of 256 characters', { sub: 'a'.repeat(256) }],
    ['without an expiry', { exp: undefined }],
    ['that is not valid yet', { nbf: NOW_SECONDS + 60 }],
  ])('%s is refused', async (_what, claims) => {
    await expect(whoHas(await tokenOf(issuer, claims))).rejects.toBeInstanceOf(Unauthenticated);
  });

  test('with the algorithm none is refused', async () => {
    const token = new UnsecuredJWT({ sub: 'alice' })
      .setIssuer(REQUIRED.JWT_ISSUER)
      .setAudience(REQUIRED.JWT_AUDIENCE)
      .setExpirationTime(NOW_SECONDS + 3600)
      .encode();
    await expect(whoHas(token)).rejects.toBeInstanceOf(Unauthenticated);
  });

  test('signed with the public key as a shared secret is refused', async () => {
    const key = new TextEncoder().encode(issuer.publicPem);
    const token = await tokenOf(issuer, {}, { alg: 'HS256', key });
    await expect(whoHas(token)).rejects.toBeInstanceOf(Unauthenticated);
  });

  test('signed with the right key by an algorithm that is not allowed is refused', async () => {
    const jwk = await exportJWK(issuer.privateKey);
    const key = await importJWK({ ...jwk, alg: 'RS512' }, 'RS512');
    const token = await tokenOf(issuer, {}, { alg: 'RS512', key });
    await expect(whoHas(token)).rejects.toBeInstanceOf(Unauthenticated);
  });

  test("signed with somebody else's key under the issuer's key id is refused", async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const token = await tokenOf(issuer, {}, { key: privateKey });
    await expect(whoHas(token)).rejects.toBeInstanceOf(Unauthenticated);
  });

  test('whose claims were changed after signing is refused', async () => {
    const [header, payload, signature] = (await tokenOf(issuer)).split('.');
    const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'bob' })).toString('base64url');
    await expect(whoHas(`${header!}.${forged}.${signature!}`)).rejects.toBeInstanceOf(
      Unauthenticated,
    );
  });

  test.each(['', 'not-a-jwt', 'a.b.c'])('that is %j is refused', async (token) => {
    await expect(whoHas(token)).rejects.toBeInstanceOf(Unauthenticated);
  });

  test.each(['fails', 'is-garbled', 'has-no-keys', 'hangs-up'] as const satisfies KeyService[])(
    'is not said to be bad while the key server %s: that is an outage',
    async (behaviour) => {
      const token = await tokenOf(issuer);
      issuer.behave(behaviour);
      await expect(whoHas(token)).rejects.toBeInstanceOf(InfrastructureUnavailable);
      await expect(whoHas(token)).rejects.toMatchObject({ retryAfterSeconds: 2 });
      issuer.behave('answers');
      expect(await whoHas(token)).toMatchObject({ userId: 'alice' });
    },
  );

  test('is not said to be bad where the key server cannot be reached', async () => {
    const gone = await startTestIssuer();
    await gone.stop();
    installTestRuntime(gone);
    await expect(whoHas(await tokenOf(issuer))).rejects.toBeInstanceOf(InfrastructureUnavailable);
  });

  test('is verified with keys that are fetched once', async () => {
    const before = issuer.keyRequests();
    for (const sub of ['alice', 'bob', 'carol']) await whoHas(await tokenOf(issuer, { sub }));
    expect(issuer.keyRequests()).toBe(before + 1);
  });
});
