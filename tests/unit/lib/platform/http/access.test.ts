import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { BadSignature } from '../../../../../lib/payments/refusals.ts';
import type { Endpoint } from '../../../../../lib/platform/http/endpoint.ts';
import { forUsers } from '../../../../../lib/platform/http/user-access.ts';
import { tokenOf } from '../test-issuer.ts';
import { call, issuer, prepare, seen } from './called-handler.ts';

prepare();

const bodySchema = z.strictObject({
  items: z.array(z.strictObject({ productId: z.string(), quantity: z.int() })).min(1),
});
const itemsBody = { schema: bodySchema, example: { items: [{ productId: 'mug', quantity: 1 }] } };

describe('access', () => {
  test('to a public route needs no token, and the caller is nobody', async () => {
    expect((await call({ headers: { Authorization: 'Bearer nonsense' } })).status).toBe(200);
    expect(seen?.user).toEqual({ userId: '', scopes: new Set() });
  });

  test('without a token is 401 before the body is read', async () => {
    const answer = await call({ body: '{' }, { access: forUsers(), body: itemsBody });
    expect(answer).toMatchObject({
      status: 401,
      headers: {
        'Content-Type': 'application/problem+json',
        'WWW-Authenticate': 'Bearer',
      },
      body: { status: 401, code: 'UNAUTHENTICATED' },
    });
  });

  test('that must prove its body is shown the bytes as they were sent, and the headers', async () => {
    const bytes = Buffer.from('{"items":[{"productId":"Müll","quantity":1}]} ');
    const shown: [Buffer, string | undefined][] = [];
    const signature: Endpoint['signature'] = (rawBody, header) => {
      shown.push([rawBody, header('x-proof')]);
      return Promise.resolve();
    };
    const headers = { 'X-Proof': 'abc' };
    const endpoint = { body: itemsBody, signature };
    await call({ headers, body: bytes.toString('utf8') }, endpoint);
    await call({ headers, body: bytes.toString('base64'), isBase64Encoded: true }, endpoint);
    expect(shown).toEqual([
      [bytes, 'abc'],
      [bytes, 'abc'],
    ]);
    expect(seen?.body).toEqual({ items: [{ productId: 'Müll', quantity: 1 }] });
  });

  test('whose body proves nothing is 401 before it is parsed', async () => {
    const signature = () => Promise.reject(new BadSignature('Sign it.'));
    expect(await call({ body: '{' }, { body: itemsBody, signature })).toMatchObject({
      status: 401,
      headers: { 'WWW-Authenticate': 'Signature' },
      body: { code: 'BAD_SIGNATURE', detail: 'Sign it.' },
    });
    expect(seen).toBeUndefined();
  });

  test("with a good token reaches the use case as the token's subject", async () => {
    const headers = { authorization: `Bearer ${await tokenOf(issuer)}` };
    expect((await call({ headers }, { access: forUsers() })).status).toBe(200);
    expect(seen?.user.userId).toBe('alice');
  });

  test('takes a token with any case of the scheme', async () => {
    const headers = { authorization: `bearer ${await tokenOf(issuer)}` };
    expect((await call({ headers }, { access: forUsers() })).status).toBe(200);
  });

  test.each(['', 'Bearer', 'Bearer ', 'Bearer a b', 'Basic YWxpY2U6cHc='])(
    'with the authorization %j is 401',
    async (authorization) => {
      const answer = await call({ headers: { authorization } }, { access: forUsers() });
      expect(answer).toMatchObject({
        status: 401,
        body: { detail: 'Send "Authorization: Bearer <token>".' },
      });
    },
  );

  test('without the scope is 403, with it 200', async () => {
    const endpoint = { access: forUsers('products:write') };
    const call403 = { headers: { authorization: `Bearer ${await tokenOf(issuer)}` } };
    expect(await call(call403, endpoint)).toMatchObject({
      status: 403,
      body: { code: 'MISSING_SCOPE' },
    });
    expect(seen).toBeUndefined();
    const token = await tokenOf(issuer, { scope: 'openid products:write' });
    expect((await call({ headers: { authorization: `Bearer ${token}` } }, endpoint)).status).toBe(
      200,
    );
  });

  test('while the key server is down is 503, not 401', async () => {
    const headers = { authorization: `Bearer ${await tokenOf(issuer)}` };
    issuer.behave('hangs-up');
    const answer = await call({ headers }, { access: forUsers() });
    issuer.behave('answers');
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'Retry-After': '2' },
      body: { code: 'TEMPORARILY_UNAVAILABLE' },
    });
    expect(answer.headers).not.toHaveProperty('WWW-Authenticate');
  });
});
