import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { deriveId } from '../../../../../lib/platform/ids.ts';
import { call, prepare, seen } from './called-handler.ts';

prepare();

const querySchema = z.strictObject({ limit: z.coerce.number().int().min(1).default(20) });

describe('path and query', () => {
  test('reach the use case, parsed and with defaults', async () => {
    const endpoint = { query: { schema: querySchema, example: { limit: '5' } } };
    const path = { orderId: deriveId('ord', '1') };
    await call({ pathParameters: path }, endpoint);
    expect(seen).toMatchObject({ path, query: { limit: 20 } });
    await call({ queryStringParameters: { limit: '5' } }, endpoint);
    expect(seen?.query).toEqual({ limit: 5 });
  });

  test.each([
    { limit: '0' },
    { limit: 'many' },
    { limit: '1.5' },
    { offset: '1' },
    JSON.parse('{ "__proto__": "1" }') as Record<string, string>,
  ])('the query %j is 400', async (queryStringParameters) => {
    const answer = await call(
      { queryStringParameters },
      { query: { schema: querySchema, example: { limit: '5' } } },
    );
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    expect(answer.body['detail']).toContain(Object.keys(queryStringParameters)[0]);
  });
});
