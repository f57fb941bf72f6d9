import type { LambdaFunctionURLEvent } from 'aws-lambda';
import { afterEach, describe, expect, test } from 'vitest';
import { respondAtFunctionUrl, startFunctionUrl } from '../../../local/stack/function-url.ts';
import type { HttpServer } from '../../../local/stack/http-server.ts';
import { Throttled } from '../../../local/stack/lambda-runtime.ts';

const SIGNED: [string, string] = ['Authorization', 'AWS4-HMAC-SHA256 Credential=test'];

const REQUEST = {
  requestId: 'r-1',
  method: 'GET',
  url: '/a/b?x=1&x=2&__proto__=3',
  headers: [SIGNED, ['Host', 'localhost'], ['X-A', '1'], ['x-a', '2']] as [string, string][],
  body: '',
  sourceIp: '127.0.0.1',
};

async function send(sent: Partial<typeof REQUEST> = {}, result: unknown = { statusCode: 204 }) {
  let event: LambdaFunctionURLEvent | undefined;
  const answer = await respondAtFunctionUrl({ ...REQUEST, ...sent }, (given) => {
    event = given;
    return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
  });
  return { event, answer };
}

describe('a request', () => {
  test("reaches the function in the function URL's format", async () => {
    const { event } = await send({ method: 'PUT', body: '{"ä":1}' });
    expect(event).toMatchObject({
      version: '2.0',
      rawPath: '/a/b',
      rawQueryString: 'x=1&x=2&__proto__=3',
      headers: { authorization: SIGNED[1], host: 'localhost', 'x-a': '1,2' },
      body: '{"ä":1}',
      isBase64Encoded: false,
      requestContext: { requestId: 'r-1', http: { method: 'PUT', path: '/a/b' } },
    });
    expect(Object.entries(event?.queryStringParameters ?? {})).toEqual([
      ['x', '1,2'],
      ['__proto__', '3'],
    ]);
  });

  test('without query and body has neither', async () => {
    const { event } = await send({ url: '/' });
    expect(event).not.toHaveProperty('queryStringParameters');
    expect(event).not.toHaveProperty('body');
  });

  test.each([[[]], [[['authorization', 'Bearer x'] as [string, string]]]])(
    'with the headers %j is not signed, and reaches no function',
    async (headers) => {
      const { event, answer } = await send({ headers });
      expect(answer).toMatchObject({ statusCode: 403, body: '{"Message":"Forbidden"}' });
      expect(event).toBeUndefined();
    },
  );
});

describe('an answer', () => {
  test("is the function's", async () => {
    const result = { statusCode: 409, headers: { 'X-Count': 1 }, body: '{}' };
    const { answer } = await send({}, result);
    expect(answer).toEqual({ statusCode: 409, headers: { 'X-Count': '1' }, body: '{}' });
  });

  test.each([[new Error('It failed.')], [null], ['text'], [{ body: '{}' }]])(
    'is 502 if the function answers %j',
    async (result) => {
      expect((await send({}, result)).answer.statusCode).toBe(502);
    },
  );
});

test('is 429 if the function is throttled', async () => {
  expect((await send({}, new Throttled())).answer.statusCode).toBe(429);
});

describe('over HTTP', () => {
  let server: HttpServer | undefined;

  afterEach(() => server?.stop());

  test('a body larger than a function URL takes is 413', async () => {
    server = await startFunctionUrl({ host: '127.0.0.1', port: 0 }, () =>
      Promise.resolve({ statusCode: 200, body: 'seen' }),
    );
    const url = `http://127.0.0.1:${String(server.port)}`;
    const post = (bytes: number) =>
      fetch(url, { method: 'POST', headers: [SIGNED], body: 'x'.repeat(bytes) });
    expect((await post(6 * 1024 * 1024)).status).toBe(200);
    expect((await post(6 * 1024 * 1024 + 1)).status).toBe(413);
  });
});
