import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { NotFound } from '../../../../../lib/platform/errors.ts';
import { traceHeaders } from '../../../../../lib/platform/http/http-client.ts';
import { call, prepare } from './called-handler.ts';

prepare();

test('below a stage leads and points to where the caller has called', async () => {
  const below = {
    resource: '/order',
    requestContext: { path: '/prod/order' } as APIGatewayProxyEvent['requestContext'],
  };
  const made = { status: 201, headers: { Location: '/order/o-1' }, body: { href: '/order/o-1' } };
  expect(await call(below, {}, () => Promise.resolve(made))).toMatchObject({
    headers: { Location: '/prod/order/o-1' },
    body: { href: '/prod/order/o-1' },
  });
  const refused = await call(below, {}, () => Promise.reject(new NotFound('Not here.')));
  expect(refused.body).toMatchObject({ code: 'NOT_FOUND', instance: '/prod/order' });
});

describe('an answer', () => {
  test('with a content type of its own is sent as it is', async () => {
    const answer = await call({}, {}, () =>
      Promise.resolve({ status: 200, body: '"<p>"', contentType: 'text/html' }),
    );
    expect(answer).toMatchObject({ text: '"<p>"', headers: { 'Content-Type': 'text/html' } });
  });

  test('is the JSON, status and headers of the use case', async () => {
    const answer = await call({}, {}, () =>
      Promise.resolve({ status: 202, body: { a: 1 }, headers: { Location: '/order/1' } }),
    );
    expect(answer).toMatchObject({ status: 202, body: { a: 1 } });
    expect(answer.headers).toEqual({
      'Cache-Control': 'no-store',
      'Content-Type': 'application/json',
      Location: '/order/1',
      'X-Content-Type-Options': 'nosniff',
      'X-Correlation-Id': 'fresh-id',
    });
  });

  test('without content has no content type', async () => {
    const answer = await call({}, {}, () => Promise.resolve({ status: 204, body: undefined }));
    expect(answer).toMatchObject({ status: 204, text: '' });
    expect(answer.headers).not.toHaveProperty('Content-Type');
  });
});

test('the calls that a request makes carry its traceparent', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const answer = await call({ headers: { Traceparent: traceparent } }, {}, () =>
    Promise.resolve({ status: 200, body: traceHeaders() }),
  );
  expect(answer.body).toEqual({ traceparent });
});
