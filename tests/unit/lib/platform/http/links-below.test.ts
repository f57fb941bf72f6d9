import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { linkedBelow } from '../../../../../lib/platform/http/answer-headers.ts';
import { callOf } from '../../../../../lib/platform/http/read-request.ts';

function callAt(resource: string, path: string, contextPath?: string) {
  const requestContext = contextPath === undefined ? undefined : { path: contextPath };
  const event = { resource, path, requestContext } as unknown as APIGatewayProxyEvent;
  return callOf('GET /', event);
}

describe('where the API is mounted', () => {
  test.each([
    ["at API Gateway's own address", '/order', '/order', '/prod/order', '/prod'],
    ['of a path with parameters', '/order/{orderId}', '/order/o-1', '/dev/order/o-1', '/dev'],
    [
      'whatever they are',
      '/product/{productId}/stock',
      '/product/a%20b/stock',
      '/dev/product/a b/stock',
      '/dev',
    ],
    ['at a custom domain without a mapping', '/order', '/order', '/order', ''],
    [
      'at a custom domain below a mapping',
      '/order/{orderId}',
      '/shop/order/o-1',
      '/shop/order/o-1',
      '/shop',
    ],
    ['below a mapping of two segments', '/payment', '/a/b/payment', '/a/b/payment', '/a/b'],
    ['with a slash at the end', '/order', '/order/', '/prod/order/', '/prod'],
    ['of the catch-all, which has no links', '/{proxy+}', '/x/y', '/prod/x/y', ''],
    ['of a test invocation', '/order', '/order', undefined, ''],
  ])('%s', (_what, resource, path, contextPath, expected) => {
    expect(callAt(resource, path, contextPath).basePath).toBe(expected);
  });

  test('is in the path that a problem names', () => {
    expect(callAt('/order', '/order', '/prod/order').instance).toBe('/prod/order');
    expect(callAt('/order', '/order').instance).toBe('/order');
  });
});

describe('an answer', () => {
  const order = { orderId: 'o-1', links: { self: { method: 'GET', href: '/order/o-1' } } };
  const answer = {
    statusCode: 202,
    headers: { 'Content-Type': 'application/json', Location: '/order/o-1', ETag: '"1"' },
    body: JSON.stringify({
      orders: [order],
      paymentUrl: 'https://pay.example/o-1',
      href: 'https://x',
    }),
  };

  test('leads below the mount', () => {
    const linked = linkedBelow('/prod', answer);
    expect(linked.headers).toEqual({ ...answer.headers, Location: '/prod/order/o-1' });
    expect(JSON.parse(linked.body)).toEqual({
      orders: [{ orderId: 'o-1', links: { self: { method: 'GET', href: '/prod/order/o-1' } } }],
      paymentUrl: 'https://pay.example/o-1',
      href: 'https://x',
    });
  });

  test('that is no JSON keeps its text', () => {
    const page = { statusCode: 200, headers: { 'Content-Type': 'text/html' }, body: '<a "href">' };
    expect(linkedBelow('/prod', page)).toEqual(page);
  });
});
