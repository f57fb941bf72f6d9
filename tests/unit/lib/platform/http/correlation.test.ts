import { describe, expect, test } from 'vitest';
import { forUsers } from '../../../../../lib/platform/http/user-access.ts';
import { call, prepare, seen } from './called-handler.ts';

prepare();

describe('a response', () => {
  test.each(['abc', 'A-1_b:c.d', 'x'.repeat(128)])(
    'carries the correlation id %j that the caller sent',
    async (id) => {
      const answer = await call({ headers: { 'x-CORRELATION-id': id } });
      expect(answer.headers['X-Correlation-Id']).toBe(id);
      expect(seen?.correlationId).toBe(id);
    },
  );

  test.each(['', ' ', 'a b', 'a\nb', 'a"b', '<script>', 'ä', 'x'.repeat(129)])(
    'carries a fresh correlation id where the caller sent %j',
    async (id) => {
      const answer = await call({ headers: { 'X-Correlation-Id': id } });
      expect(answer.headers['X-Correlation-Id']).toBe('fresh-id');
    },
  );

  test('that is a problem carries the correlation id too', async () => {
    const answer = await call({ headers: { 'X-Correlation-Id': 'abc' } }, { access: forUsers() });
    expect(answer).toMatchObject({ status: 401, headers: { 'X-Correlation-Id': 'abc' } });
  });

  test('is given even where API Gateway hands over no headers at all', async () => {
    const answer = await call({ headers: null });
    expect(answer).toMatchObject({ status: 200, headers: { 'X-Correlation-Id': 'fresh-id' } });
  });
});
