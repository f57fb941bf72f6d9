import { describe, expect, test } from 'vitest';
import { forOrderService } from '../../../../../lib/inventory/http/reservation-api.ts';
import { NotFound } from '../../../../../lib/platform/errors.ts';
import { forEveryone } from '../../../../../lib/platform/http/api-handler.ts';
import { installTestRuntime, NOW_SECONDS } from '../test-issuer.ts';
import { call, issuer, prepare } from './called-handler.ts';

prepare();

const SHOP = 'https://shop.example.com';
const OTHER_SHOP = 'http://localhost:5173';

function allow(...origins: string[]): void {
  installTestRuntime(issuer, NOW_SECONDS, { ALLOWED_ORIGINS: origins.join(', ') });
}

const from = (origin: string) => ({ headers: { Origin: origin } });

function corsOf(headers: object): string[] {
  return Object.keys(headers).filter((name) => /^(access-control|vary)/i.test(name));
}

describe('CORS', () => {
  test.each([SHOP, OTHER_SHOP])('lets a page of %s read the answer', async (origin) => {
    allow(SHOP, OTHER_SHOP);
    const { headers } = await call(from(origin));
    expect(headers).toMatchObject({
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Expose-Headers':
        'Location, ETag, Retry-After, Idempotent-Replayed, X-Correlation-Id',
      Vary: 'Origin',
    });
    expect(headers).not.toHaveProperty('Access-Control-Allow-Credentials');
  });

  test('lets it read a problem too', async () => {
    allow(SHOP);
    const refused = await call(from(SHOP), {}, () => Promise.reject(new NotFound('Not here.')));
    expect(refused).toMatchObject({
      status: 404,
      headers: { 'Access-Control-Allow-Origin': SHOP },
    });
  });

  test.each([
    'https://evil.example.com',
    'http://shop.example.com',
    'https://shop.example.com:8443',
    'https://shop.example.com.evil.example',
    'https://SHOP.example.com',
    'null',
    '',
    '*',
  ])('answers %j, which is not allowed, but says nothing of pages', async (origin) => {
    allow(SHOP);
    const { status, headers } = await call(from(origin));
    expect(status).toBe(200);
    expect(corsOf(headers)).toEqual(['Vary']);
  });

  test('answers callers that are no browser in a way that no cache gives to a page', async () => {
    allow(SHOP);
    expect(corsOf((await call({})).headers)).toEqual(['Vary']);
  });

  test('is off by default', async () => {
    expect(corsOf((await call(from(SHOP))).headers)).toEqual([]);
  });

  test.each([
    ['the other service', { access: forOrderService }],
    ['the payment gateway', { access: forEveryone, signature: () => Promise.resolve() }],
  ])('is not for the routes of %s', async (_whose, declared) => {
    allow(SHOP);
    const { headers } = await call(from(SHOP), declared);
    expect(corsOf(headers)).toEqual([]);
    expect(headers).toMatchObject({ 'X-Content-Type-Options': 'nosniff' });
  });
});

describe('an answer', () => {
  const answered = (headers: Record<string, string>) =>
    call({}, {}, () => Promise.resolve({ status: 200, body: {}, headers }));

  test('is not stored by anybody', async () => {
    expect((await answered({})).headers).toMatchObject({ 'Cache-Control': 'no-store' });
  });

  test('with an ETag is asked for again each time', async () => {
    const { headers } = await answered({ ETag: '"3"' });
    expect(headers).toMatchObject({ 'Cache-Control': 'private, no-cache' });
  });

  test('of a route that says how long it may be kept is kept that long', async () => {
    const { headers } = await answered({ 'Cache-Control': 'public, max-age=300' });
    expect(headers).toMatchObject({ 'Cache-Control': 'public, max-age=300' });
  });

  test('is never taken for another type than it has', async () => {
    expect((await answered({})).headers).toMatchObject({ 'X-Content-Type-Options': 'nosniff' });
  });
});
