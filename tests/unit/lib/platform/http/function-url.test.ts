import type { APIGatewayProxyEvent, Context, LambdaFunctionURLEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { forEveryone } from '../../../../../lib/platform/http/api-handler.ts';
import { functionUrlHandler } from '../../../../../lib/platform/http/function-url.ts';

let seen: APIGatewayProxyEvent | undefined;

function routeTo(route: string) {
  const handler = (event: APIGatewayProxyEvent) => {
    seen = event;
    return Promise.resolve({ statusCode: 200, body: route });
  };
  return Object.assign(handler, { endpoint: { route, access: forEveryone } });
}

const handler = functionUrlHandler(
  [routeTo('GET /a/{id}'), routeTo('POST /a/{id}/b'), routeTo('DELETE /a/{id}')],
  routeTo('ANY /{proxy+}'),
);

async function routeOf(method: string, rawPath: string, event: object = {}): Promise<string> {
  const requestContext = { requestId: 'req-1', http: { method, sourceIp: '203.0.113.7' } };
  const request = { rawPath, requestContext, headers: {}, ...event };
  const { body } = await handler(request as LambdaFunctionURLEvent, {} as Context);
  return body;
}

test.each([
  ['GET', '/a/one-1_X', 'GET /a/{id}'],
  ['DELETE', '/a/1', 'DELETE /a/{id}'],
  ['POST', '/a/1/b', 'POST /a/{id}/b'],
  ['POST', '/a/1', 'ANY /{proxy+}'],
  ['GET', '/a', 'ANY /{proxy+}'],
  ['GET', '/a/', 'ANY /{proxy+}'],
  ['GET', '/a/1/', 'ANY /{proxy+}'],
  ['GET', '/a/1/b', 'ANY /{proxy+}'],
  ['GET', '/x/a/1', 'ANY /{proxy+}'],
  ['GET', '/a/%31', 'ANY /{proxy+}'],
  ['GET', '/a/..', 'ANY /{proxy+}'],
])('%s %s goes to %s', async (method, path, route) => {
  expect(await routeOf(method, path)).toBe(route);
});

test("a route sees the request in API Gateway's format", async () => {
  await routeOf('GET', '/a/1', {
    headers: { 'x-correlation-id': 'c-1' },
    queryStringParameters: { revision: '2' },
    body: 'e30=',
    isBase64Encoded: true,
  });
  expect(seen).toEqual({
    resource: '/a/{id}',
    httpMethod: 'GET',
    path: '/a/1',
    pathParameters: { id: '1' },
    headers: { 'x-correlation-id': 'c-1' },
    requestContext: { requestId: 'req-1', identity: { sourceIp: '203.0.113.7' } },
    queryStringParameters: { revision: '2' },
    body: 'e30=',
    isBase64Encoded: true,
  });
});

test('parts that a request lacks are null, as API Gateway has them', async () => {
  await routeOf('DELETE', '/a/1', { isBase64Encoded: false });
  expect(seen).toMatchObject({ queryStringParameters: null, body: null });
});

test('names the declarations of its routes', () => {
  const routes = handler.endpoints.map(({ route }) => route);
  expect(routes).toEqual(['GET /a/{id}', 'POST /a/{id}/b', 'DELETE /a/{id}']);
});
