import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { paymentIdFor } from '../../lib/orders/payment-id.ts';
import { directOrderId } from '../../torture/direct-orders.ts';
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts';
import { expectPromisesAtRest, snapshotOf } from '../support/invariants.ts';
import { type Answer, call, callInventory, inventoryCall, newProduct } from '../support/shop.ts';
import { startTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

const AUDIENCE = 'the-shop';
let provider: IdentityProvider;
let stack: TestStack;

beforeAll(async () => {
  provider = await startIdentityProvider();
  stack = await startTestStack({
    JWT_ISSUER: provider.issuer,
    JWT_AUDIENCE: AUDIENCE,
    JWKS_URL: provider.jwksUrl,
  });
});

afterAll(async () => {
  await stack.stop();
  await provider.stop();
});

function claims(overrides: Readonly<Record<string, unknown>> = {}) {
  const iat = Math.floor(stack.clock.now() / 1000);
  return { iss: provider.issuer, aud: AUDIENCE, sub: 'alice', iat, exp: iat + 300, ...overrides };
}

function placeWith(authorization: string | undefined): Promise<Answer> {
  const headers = authorization === undefined ? {} : { authorization };
  const items = [{ productId: 'prod-coffee', quantity: 1 }];
  return call(stack, 'POST', '/order', headers, { items });
}

describe('a token', () => {
  test('of the configured provider is accepted', async () => {
    const productId = await newProduct(5);
    const authorization = `Bearer ${await provider.sign(claims())}`;
    const items = [{ productId, quantity: 1 }];
    const placed = await call(
      stack,
      'POST',
      '/order',
      { authorization, prefer: 'wait=10' },
      { items },
    );
    expect(placed.summary).toBe('201 PENDING_PAYMENT');
  });

  test('may name several audiences', async () => {
    const token = await provider.sign(claims({ aud: ['another', AUDIENCE] }));
    const answer = await call(stack, 'GET', '/product', { authorization: `Bearer ${token}` });
    expect(answer.status).toBe(200);
  });

  const signedFor = async (sub: unknown) => `Bearer ${await provider.sign(claims({ sub }))}`;
  const secret = new TextEncoder().encode('a secret of at least thirty-two bytes');
  test.each<[string, () => Promise<string | undefined> | string | undefined]>([
    ['is missing', () => undefined],
    ['is empty', () => 'Bearer '],
    ['comes by another scheme', async () => `Basic ${await provider.sign(claims())}`],
    ['is garbage', () => 'Bearer not.a.token'],
    ['is truncated', async () => `Bearer ${(await provider.sign(claims())).slice(0, -10)}`],
    ['has expired', async () => `Bearer ${await provider.sign(claims({ exp: claims().iat - 1 }))}`],
    ['never expires', async () => `Bearer ${await provider.sign(claims({ exp: undefined }))}`],
    [
      'is not valid yet',
      async () => `Bearer ${await provider.sign(claims({ nbf: claims().iat + 60 }))}`,
    ],
    ['is for another audience', async () => `Bearer ${await provider.sign(claims({ aud: 'x' }))}`],
    ['is for no audience', async () => `Bearer ${await provider.sign(claims({ aud: undefined }))}`],
    [
      'is of another issuer',
      async () => `Bearer ${await provider.sign(claims({ iss: 'http://x' }))}`,
    ],
    ['names nobody', async () => `Bearer ${await provider.sign(claims({ sub: undefined }))}`],
    ['names an empty subject', async () => `Bearer ${await provider.sign(claims({ sub: '' }))}`],
    ['names a subject of 256 characters', async () => signedFor('a'.repeat(256))],
    ['names half a character', async () => signedFor('\ud800')],
    ['names a number', async () => signedFor(7)],
    ['names a list', async () => signedFor(['alice'])],
    ['names an object', async () => signedFor({ id: 'alice', length: 5 })],
    ['names null', async () => signedFor(null)],
    ['names a truth', async () => signedFor(true)],
    ['is not signed (alg none)', () => `Bearer ${new UnsecuredJWT(claims()).encode()}`],
    [
      'is signed with a shared secret',
      async () =>
        `Bearer ${await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'key-1' }).sign(secret)}`,
    ],
    [
      "is signed with another key under the provider's key id",
      async () => {
        const { privateKey } = await generateKeyPair('RS256');
        const header = { alg: 'RS256', kid: 'key-1' };
        return `Bearer ${await new SignJWT(claims()).setProtectedHeader(header).sign(privateKey)}`;
      },
    ],
  ])('that %s is answered 401, and nothing is stored', async (_what, authorization) => {
    const stored = (await snapshotOf(stack)).orders.length;

    const answer = await placeWith(await authorization());

    expect(answer.summary).toBe('401 UNAUTHENTICATED');
    expect(answer.headers.get('x-amzn-remapped-www-authenticate')).toBe('Bearer');
    expect((await snapshotOf(stack)).orders.length).toBe(stored);
  });

  test('stops being accepted when its time is up', async () => {
    const token = await provider.sign(claims({ exp: claims().iat + 60 }));
    const authorization = `Bearer ${token}`;
    expect((await call(stack, 'GET', '/product', { authorization })).status).toBe(200);
    await stack.clock.advance(61_000);
    expect((await call(stack, 'GET', '/product', { authorization })).status).toBe(401);
  });
});

describe("somebody else's", () => {
  test('order and payment do not exist for a caller, and cannot be paid by them', async () => {
    const productId = await newProduct(5);
    const alice = `Bearer ${await provider.sign(claims({ sub: 'alice' }))}`;
    const mallory = `Bearer ${await provider.sign(claims({ sub: 'mallory', scope: 'products:write' }))}`;
    const as = (authorization: string) => ({ authorization, prefer: 'wait=10' });
    const items = [{ productId, quantity: 1 }];
    const { orderId } = (await call(stack, 'POST', '/order', as(alice), { items })).order;
    const pay = { orderId, paymentMethod: { token: 'tok_ok' } };

    const missing = await call(stack, 'GET', '/order/ord_of_nobody', as(mallory));
    const hidden = await call(stack, 'GET', `/order/${orderId}`, as(mallory));
    expect(hidden.summary).toBe('404 NOT_FOUND');
    expect(hidden.problem.detail).toBe(missing.problem.detail);
    expect((await call(stack, 'POST', '/payment', as(mallory), pay)).summary).toBe('404 NOT_FOUND');

    const { paymentId } = (await call(stack, 'POST', '/payment', as(alice), pay)).payment;
    expect((await call(stack, 'GET', `/payment/${paymentId}`, as(alice))).status).toBe(200);
    const payment = await call(stack, 'GET', `/payment/${paymentId}`, as(mallory));
    expect(payment.summary).toBe('404 NOT_FOUND');
    expect((await call(stack, 'POST', '/payment', as(mallory), pay)).summary).toBe('404 NOT_FOUND');
  });

  test('door is closed: users cannot call the Inventory Service, nor it the users', async () => {
    const token = await provider.sign(claims({ scope: 'products:write' }));
    const orderId = directOrderId('access');
    const path = `/inventory/reservation/${orderId}`;
    const calls = [
      ['GET', path],
      [
        'PUT',
        path,
        { revision: 1, holdSeconds: 1, items: [{ productId: 'prod-coffee', quantity: 1 }] },
      ],
      ['DELETE', `${path}?revision=1`],
      ['POST', `${path}/extend`, { revision: 1, holdSeconds: 1 }],
      ['POST', `${path}/confirm`, { revision: 1, paymentId: paymentIdFor(orderId) }],
      ['GET', '/inventory/product/prod-coffee'],
    ] as const;
    for (const [method, url, body] of calls) {
      const authorization = `Bearer ${token}`;
      const unsigned = { authorization, 'x-service-credential': '' };
      const atTheApi = await call(stack, method, url, { authorization }, body);
      expect(atTheApi.summary, url).toBe('404 NOT_FOUND');
      expect((await callInventory(stack, method, url, unsigned, body)).status, url).toBe(403);
      const signed = { 'x-service-credential': token };
      const answer = await callInventory(stack, method, url, signed, body);
      expect(answer.summary, url).toBe('401 UNAUTHENTICATED');
    }
    expect((await inventoryCall(stack, 'GET', orderId)).summary).toBe('404 NOT_FOUND');

    const credential = stack.environment['INVENTORY_CREDENTIAL'] ?? '';
    expect((await placeWith(`Bearer ${credential}`)).status).toBe(401);
  });
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(stack);
});
