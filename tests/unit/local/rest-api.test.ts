import { describe, expect, test, vi } from 'vitest';
import { Throttled } from '../../../local/stack/lambda-runtime.ts';
import { RestApi } from '../../../local/stack/rest-api.ts';
import type { ServiceDefinition } from '../../../local/stack/service-definition.ts';

const EVENTS: Readonly<Record<string, readonly [method: string, path: string][]>> = {
  list: [['get', '/order']],
  look: [['get', '/order/{orderId}']],
  cancel: [['post', '/order/cancelorder/{orderId}']],
  pay: [['get', '/payment/{paymentId}']],
  hook: [['post', '/payment/webhook']],
  rest: [
    ['any', '/'],
    ['any', '/{proxy+}'],
  ],
};

function gatewayResponse(type: string, status?: string) {
  return {
    Type: 'AWS::ApiGateway::GatewayResponse',
    Properties: {
      ResponseType: type,
      ...(status === undefined ? {} : { StatusCode: status }),
      ResponseParameters: {
        'gatewayresponse.header.X-Kind': `'${type}'`,
        'gatewayresponse.header.X-Request': 'context.requestId',
      },
      ResponseTemplates: { 'application/json': '{"at":"$context.path"}' },
    },
  };
}

function definition(without: readonly string[] = []): ServiceDefinition {
  const functions = Object.entries(EVENTS)
    .filter(([key]) => !without.includes(key))
    .map(([key, events]) => [
      key,
      {
        name: key,
        handler: '',
        events: events.map(([method, path]) => ({ http: { method, path } })),
      },
    ]);
  return {
    provider: { stage: 'local' },
    functions: Object.fromEntries(functions) as object,
    resources: {
      Resources: {
        A: gatewayResponse('DEFAULT_4XX'),
        B: gatewayResponse('DEFAULT_5XX'),
        C: gatewayResponse('REQUEST_TOO_LARGE', '413'),
        D: gatewayResponse('MISSING_AUTHENTICATION_TOKEN', '404'),
        E: gatewayResponse('INTEGRATION_FAILURE', '503'),
      },
    },
  } as unknown as ServiceDefinition;
}

type Sent = Partial<Parameters<RestApi['respond']>[0]>;
type Event = Parameters<ConstructorParameters<typeof RestApi>[1]>[1];

interface Seen {
  readonly key: string;
  readonly event: Event;
}

async function send(
  sent: Sent,
  result: unknown = { statusCode: 200, headers: {}, body: '{}' },
  service = definition(),
) {
  let seen: Seen | undefined;
  const api = new RestApi(service, (key, event) => {
    seen = { key, event };
    return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
  });
  const request = {
    requestId: 'r-1',
    method: 'GET',
    url: '/',
    headers: [],
    body: '',
    sourceIp: '::1',
  };
  const response = await api.respond({ ...request, ...sent });
  return { ...response, key: seen?.key, event: seen?.event };
}

describe('a request', () => {
  test.each([
    ['GET', '/order', 'list', '/order', null],
    ['GET', '/order/', 'list', '/order', null],
    ['GET', '/order/o-1', 'look', '/order/{orderId}', { orderId: 'o-1' }],
    ['GET', '/order/a%2Fb%20c', 'look', '/order/{orderId}', { orderId: 'a/b c' }],
    [
      'POST',
      '/order/cancelorder/o-1',
      'cancel',
      '/order/cancelorder/{orderId}',
      { orderId: 'o-1' },
    ],
    ['POST', '/payment/webhook', 'hook', '/payment/webhook', null],
    ['GET', '/payment/p-1', 'pay', '/payment/{paymentId}', { paymentId: 'p-1' }],
    ['GET', '/', 'rest', '/', null],
    ['OPTIONS', '/nothing/at/all', 'rest', '/{proxy+}', { proxy: 'nothing/at/all' }],
  ])('%s %s is for %s', async (method, url, key, resource, pathParameters) => {
    const seen = await send({ method, url });
    expect(seen).toMatchObject({ key, event: { resource, pathParameters, httpMethod: method } });
  });

  test.each([
    ['HEAD', '/order'],
    ['PATCH', '/order'],
    ['OPTIONS', '/order'],
    // A resource of its own, and not a payment with that id.
    ['GET', '/payment/webhook'],
    ['GET', '/order/cancelorder'],
    ['GET', '/order//'],
    ['GET', '/ORDER'],
  ])('%s %s, which no resource takes, is for the greedy one', async (method, url) => {
    const { key, event } = await send({ method, url });
    expect([key, event?.resource]).toEqual(['rest', '/{proxy+}']);
  });

  test.each(['/order', '/nothing'])(
    'HEAD %s without one is answered by API Gateway',
    async (url) => {
      const { key, statusCode, headers, body } = await send(
        { method: 'HEAD', url },
        undefined,
        definition(['rest']),
      );
      expect(key).toBeUndefined();
      expect([statusCode, body]).toEqual([404, `{"at":"${url}"}`]);
      expect(headers).toEqual({ 'X-Kind': 'MISSING_AUTHENTICATION_TOKEN', 'X-Request': 'r-1' });
    },
  );

  test('reaches the function with all that it has', async () => {
    const { event } = await send({
      method: 'GET',
      url: '/order/o-1?limit=1&limit=2&q=a%20b',
      headers: [
        ['Accept', 'a'],
        ['Accept', 'b'],
        ['X-One', '1'],
      ],
      body: '{"a":1}',
    });
    expect(event).toMatchObject({
      path: '/order/o-1',
      headers: { Accept: 'b', 'X-One': '1' },
      multiValueHeaders: { Accept: ['a', 'b'], 'X-One': ['1'] },
      queryStringParameters: { limit: '2', q: 'a b' },
      multiValueQueryStringParameters: { limit: ['1', '2'], q: ['a b'] },
      body: '{"a":1}',
      isBase64Encoded: false,
      requestContext: { path: '/order/o-1', stage: 'local', requestId: 'r-1' },
    });
  });

  test.each(['false', '0', 'null', '""', '[]', '\uFEFF{}', '1e999', '[[['])(
    'with the body %j reaches the function as it was sent',
    async (body) => {
      expect((await send({ method: 'POST', url: '/payment/webhook', body })).event?.body).toBe(
        body,
      );
    },
  );

  test.each(['__proto__', 'constructor', 'toString'])(
    'with a parameter named %s reaches the function with it',
    async (name) => {
      const { event } = await send({ url: `/order?${name}=1` });
      expect(Object.entries(event?.queryStringParameters ?? {})).toEqual([[name, '1']]);
      expect(Object.entries(event?.multiValueQueryStringParameters ?? {})).toEqual([[name, ['1']]]);
    },
  );

  test('without body and query has null for them', async () => {
    const { event } = await send({ url: '/order' });
    expect(event).toMatchObject({ body: null, queryStringParameters: null });
  });

  test('of an impossible path is refused by API Gateway', async () => {
    const { key, statusCode, headers } = await send({ url: '/order/%ff' });
    expect([key, statusCode, headers['X-Kind']]).toEqual([undefined, 400, 'DEFAULT_4XX']);
  });

  test('that is too large is refused by API Gateway', async () => {
    const { key, statusCode, headers } = await send({ url: '/order', body: undefined });
    expect([key, statusCode, headers['X-Kind']]).toEqual([undefined, 413, 'REQUEST_TOO_LARGE']);
  });
});

describe('an answer of a function', () => {
  test('is passed on as it is', async () => {
    const headers = { ETag: '"3"', 'Content-Type': 'text/html' };
    const answer = await send(
      { headers: [['Origin', 'https://x.example']] },
      { statusCode: 201, headers, body: '<p>' },
    );
    expect(answer).toMatchObject({ statusCode: 201, body: '<p>' });
    expect(answer.headers).toEqual(headers);
  });

  test('without a type is JSON, as API Gateway says', async () => {
    const { headers } = await send({}, { statusCode: 204, body: '' });
    expect(headers).toEqual({ 'Content-Type': 'application/json' });
  });

  test('may not name its way to authenticate under that name', async () => {
    const { headers } = await send(
      {},
      { statusCode: 401, headers: { 'WWW-Authenticate': 'Bearer' }, body: '' },
    );
    expect(headers).toEqual({
      'Content-Type': 'application/json',
      'x-amzn-Remapped-WWW-Authenticate': 'Bearer',
    });
  });

  test.each([
    ['failed', new Error('crashed')],
    ['took too long', Object.assign(new Error('late'), { name: 'Sandbox.Timedout' })],
    ['answered nothing', null],
    ['answered a text', 'fine'],
    ['answered an object as body', { statusCode: 200, body: {} }],
    ['answered no status', { body: '' }],
  ])('that %s is 502', async (_how, result) => {
    vi.spyOn(console, 'error').mockReturnValue();
    const { statusCode, headers } = await send({ url: '/order' }, result);
    expect([statusCode, headers['X-Kind']]).toEqual([502, 'DEFAULT_5XX']);
  });

  test('that was throttled is a failure of the integration, whose status the template sets', async () => {
    const { statusCode, headers } = await send({ url: '/order' }, new Throttled());
    expect([statusCode, headers['X-Kind']]).toEqual([503, 'INTEGRATION_FAILURE']);
  });
});
