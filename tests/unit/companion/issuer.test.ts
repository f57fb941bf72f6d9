import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Companion } from '../../../local/companion/server.ts';
import { AUDIENCE, NOW_SECONDS, send, startTestCompanion } from './support.ts';

let companion: Companion;

beforeAll(async () => {
  companion = await startTestCompanion();
});

afterAll(() => companion.stop());

function requestToken(body: unknown): ReturnType<typeof send> {
  return send(`${companion.url}/issuer/token`, { method: 'POST', body });
}

async function verify(
  token: string,
  issuer = `${companion.url}/issuer`,
  atSeconds = NOW_SECONDS,
): Promise<unknown> {
  const keys = createRemoteJWKSet(new URL(`${companion.url}/issuer/jwks.json`));
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience: AUDIENCE,
    algorithms: ['ES256'],
    currentDate: new Date(atSeconds * 1000),
  });
  return payload;
}

describe('a token over HTTP', () => {
  it('verifies against the served key and carries subject and scope for one day', async () => {
    const { status, body } = await requestToken({ subject: 'alice', scope: 'products:write' });
    expect(status).toBe(200);
    const { token, expiresInSeconds } = body as { token: string; expiresInSeconds: number };
    expect(expiresInSeconds).toBe(86_400);
    expect(await verify(token)).toEqual({
      iss: `${companion.url}/issuer`,
      aud: AUDIENCE,
      sub: 'alice',
      scope: 'products:write',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 86_400,
    });
  });

  it('names the key it was signed with', async () => {
    const { body: jwks } = await send(`${companion.url}/issuer/jwks.json`);
    const { kid } = decodeProtectedHeader(await companion.mintToken('alice'));
    expect(jwks).toMatchObject({ keys: [{ kid, alg: 'ES256', use: 'sig', kty: 'EC' }] });
  });

  it('does not serve the private key', async () => {
    const { body } = await send(`${companion.url}/issuer/jwks.json`);
    const fields = (body as { keys: object[] }).keys.map((key) => Object.keys(key).sort());
    expect(fields).toEqual([['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']]);
  });

  it('has no scope unless one is asked for', async () => {
    const { body } = await requestToken({ subject: 'alice' });
    expect(await verify((body as { token: string }).token)).not.toHaveProperty('scope');
  });

  it('is over when the seconds it was asked for are', async () => {
    const { body } = await requestToken({ subject: 'alice', expiresInSeconds: 60 });
    const { token } = body as { token: string };
    await expect(verify(token, undefined, NOW_SECONDS + 59)).resolves.toMatchObject({
      exp: NOW_SECONDS + 60,
    });
    await expect(verify(token, undefined, NOW_SECONDS + 60)).rejects.toMatchObject({
      code: 'ERR_JWT_EXPIRED',
    });
  });

  it.each<[string, unknown, string]>([
    ['no body', undefined, 'body'],
    ['no subject', {}, 'subject'],
    ['a blank subject', { subject: ' ' }, 'subject'],
    ['a subject that is no string', { subject: 7 }, 'subject'],
    ['an empty scope', { subject: 'alice', scope: '' }, 'scope'],
    ['no lifetime', { subject: 'alice', expiresInSeconds: 0 }, 'expiresInSeconds'],
    ['more than a day', { subject: 'alice', expiresInSeconds: 86_401 }, 'expiresInSeconds'],
    ['a fraction', { subject: 'alice', expiresInSeconds: 1.5 }, 'expiresInSeconds'],
    ['an unknown field', { subject: 'alice', admin: true }, 'admin'],
  ])('is refused for %s, naming the field', async (_case, body, field) => {
    expect(await requestToken(body)).toMatchObject({
      status: 400,
      contentType: 'application/problem+json',
      body: { code: 'BAD_REQUEST', detail: expect.stringContaining(field) as unknown },
    });
  });
});

it('mints the same kind of token in process', async () => {
  expect(await verify(await companion.mintToken('bob', 'a b'))).toMatchObject({
    sub: 'bob',
    scope: 'a b',
    exp: NOW_SECONDS + 86_400,
  });
});

it('tells OpenID clients where its key is', async () => {
  const { body } = await send(`${companion.url}/issuer/.well-known/openid-configuration`);
  expect(body).toMatchObject({
    issuer: `${companion.url}/issuer`,
    jwks_uri: `${companion.url}/issuer/jwks.json`,
    id_token_signing_alg_values_supported: ['ES256'],
  });
});

it('signs for the issuer it is told to be', async () => {
  const other = await startTestCompanion({ issuer: 'https://issuer.example' });
  try {
    const { body } = await send(`${other.url}/issuer/.well-known/openid-configuration`);
    expect(body).toMatchObject({ issuer: 'https://issuer.example' });
    const keys = createRemoteJWKSet(new URL(`${other.url}/issuer/jwks.json`));
    const { payload } = await jwtVerify(await other.mintToken('alice'), keys, {
      issuer: 'https://issuer.example',
      currentDate: new Date(NOW_SECONDS * 1000),
    });
    expect(payload.sub).toBe('alice');
  } finally {
    await other.stop();
  }
});

it('does not accept a token of another run', async () => {
  const other = await startTestCompanion({ issuer: `${companion.url}/issuer` });
  try {
    await expect(verify(await other.mintToken('alice'))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  } finally {
    await other.stop();
  }
});
