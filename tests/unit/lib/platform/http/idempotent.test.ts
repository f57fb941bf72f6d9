import { describe, expect, test } from 'vitest';
import { idempotent } from '../../../../../lib/platform/http/idempotent.ts';
import { installTestRuntime } from '../test-issuer.ts';
import { call, issuer, prepare, seen } from './called-handler.ts';

prepare();

describe('Idempotency-Key', () => {
  const declared = { idempotency: idempotent() };

  /** Makes the idempotency table unreachable: a request that needs it is answered 503 and does nothing. */
  function withoutDatabase(): void {
    process.env['AWS_REGION'] = 'eu-central-1';
    process.env['AWS_ACCESS_KEY_ID'] = 'test';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
    process.env['AWS_ENDPOINT_URL_DYNAMODB'] = 'http://127.0.0.1:9';
    process.env['AWS_MAX_ATTEMPTS'] = '1';
    installTestRuntime(issuer);
  }

  test.each(['a', '3f2c-…'.replace('…', 'x'), '!~', 'k'.repeat(255)])(
    '%j is taken',
    async (key) => {
      withoutDatabase();
      const answer = await call({ headers: { 'idempotency-KEY': key } }, declared);
      expect(answer.status).toBe(503);
    },
  );

  test.each(['', ' ', 'a b', 'ä', 'a\tb', 'k'.repeat(256)])('%j is 400', async (key) => {
    const answer = await call({ headers: { 'Idempotency-Key': key } }, declared);
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    expect(answer.body['detail']).toContain('Idempotency-Key');
    expect(seen).toBeUndefined();
  });

  test('is not looked at where nothing can be done twice', async () => {
    expect((await call({ headers: { 'Idempotency-Key': 'a b' } })).status).toBe(200);
    expect(seen?.idempotencyKey).toBeUndefined();
  });

  test('may be left out', async () => {
    await call({});
    expect(seen?.idempotencyKey).toBeUndefined();
  });

  test('where it cannot be looked up, nothing is done and the caller may try again', async () => {
    withoutDatabase();
    const answer = await call({ headers: { 'Idempotency-Key': 'key' } }, declared);
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'Retry-After': '1' },
      body: { code: 'TEMPORARILY_UNAVAILABLE' },
    });
    expect(seen).toBeUndefined();
  });
});
