import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Endpoint, isForPages } from '../../lib/platform/http/endpoint.ts';
import { installTestRuntime, NOW_SECONDS } from '../unit/lib/platform/test-issuer.ts';
import { deployedFunctions, deployedRoutes, load, preflightPaths } from './deployment.ts';

const ORIGIN = 'https://shop.example.com';

beforeAll(() => {
  installTestRuntime({ jwksUrl: 'http://127.0.0.1:9' }, NOW_SECONDS, { ALLOWED_ORIGINS: ORIGIN });
});

type Handler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/** Methods that pages may use, by path, as the functions declare them. */
async function methodsForPages(): Promise<ReadonlyMap<string, string[]>> {
  const methods = new Map<string, string[]>();
  for (const [route, functionKey] of deployedRoutes()) {
    const file = deployedFunctions().get(functionKey) ?? '';
    const { handler } = (await load(file)) as { handler: { endpoint: Endpoint } };
    if (!isForPages(handler.endpoint)) continue;
    const [method = '', path = ''] = route.split(' ');
    methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  return methods;
}

async function preflight(resource: string, origin: string): Promise<APIGatewayProxyResult> {
  const { handler } = (await load('functions/preflight.ts')) as { handler: Handler };
  const event = { resource, path: resource, headers: { origin }, httpMethod: 'OPTIONS' };
  return handler(event as unknown as APIGatewayProxyEvent, {} as Context);
}

test('every path that pages may call has a preflight, and no other', async () => {
  const forPages = [...(await methodsForPages()).keys()];
  expect([...preflightPaths()].sort()).toEqual(forPages.sort());
  expect(forPages).not.toContain('/payment/webhook');
  expect(forPages.filter((path) => path.startsWith('/inventory'))).toEqual([]);
});

describe.each(preflightPaths())('a preflight of %s', (path) => {
  test('allows a page of an allowed origin the methods of the path, and all headers', async () => {
    const methods = (await methodsForPages()).get(path) ?? [];
    const { statusCode, headers = {}, body } = await preflight(path, ORIGIN);
    expect([statusCode, body]).toEqual([204, '']);
    expect(String(headers['Access-Control-Allow-Methods']).split(', ').sort()).toEqual(
      methods.sort(),
    );
    expect(String(headers['Allow']).split(', ').sort()).toEqual([...methods, 'OPTIONS'].sort());
    expect(headers).toMatchObject({
      'Access-Control-Allow-Origin': ORIGIN,
      'Access-Control-Allow-Headers':
        'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Allow-Duplicate, X-Correlation-Id',
      'Access-Control-Max-Age': '7200',
      Vary: 'Origin',
    });
  });

  test('says nothing to a page of another origin', async () => {
    const { statusCode, headers = {} } = await preflight(path, 'https://evil.example.com');
    expect(statusCode).toBe(204);
    expect(Object.keys(headers).filter((name) => name.startsWith('Access-Control'))).toEqual([]);
  });
});
