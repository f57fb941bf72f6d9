import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { BadSignature } from '../../../../../lib/payments/errors.ts';
import {
  BadRequest,
  IllegalTransition,
  InfrastructureUnavailable,
  NotFound,
} from '../../../../../lib/platform/errors.ts';
import {
  type ApiRequest,
  type ApiResponse,
  apiHandler,
  type Declaration,
} from '../../../../../lib/platform/http/api-handler.ts';
import { forEveryone } from '../../../../../lib/platform/http/for-everyone.ts';
import { forServices } from '../../../../../lib/platform/http/for-services.ts';
import { forUsers } from '../../../../../lib/platform/http/for-users.ts';
import { forUsersAndServices } from '../../../../../lib/platform/http/for-users-and-services.ts';
import { idempotent } from '../../../../../lib/platform/http/idempotent.ts';
import { versionOf } from '../../../../../lib/platform/http/if-match.ts';
import { jsonBody } from '../../../../../lib/platform/http/json-body.ts';
import { queryParameters } from '../../../../../lib/platform/http/query-parameters.ts';
import { signedBody } from '../../../../../lib/platform/http/signed-body.ts';
import { REQUIRED } from '../environment.ts';
import { installTestRuntime, startTestIssuer, type TestIssuer, tokenOf } from '../test-issuer.ts';

process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';

const bodySchema = z.strictObject({
  items: z.array(z.strictObject({ productId: z.string(), quantity: z.int() })).min(1),
});
const querySchema = z.strictObject({ limit: z.coerce.number().int().min(1).default(20) });

type Seen = ApiRequest<unknown, unknown>;
type Sent = Partial<
  Omit<APIGatewayProxyEvent, 'headers'> & { headers: Record<string, string> | null }
>;

let issuer: TestIssuer;
let seen: Seen | undefined;

beforeAll(async () => {
  issuer = await startTestIssuer();
});
afterAll(() => issuer.stop());
beforeEach(() => {
  seen = undefined;
  installTestRuntime(issuer);
});

const OK: ApiResponse = { status: 200, body: { fine: true } };

/** Calls a handler in process, as API Gateway would; `seen` is what reached the use case. */
async function call(
  sent: Sent,
  declared: Partial<Declaration<z.ZodType, z.ZodType>> = {},
  respond: () => Promise<ApiResponse> = () => Promise.resolve(OK),
) {
  const handler = apiHandler<z.ZodType, z.ZodType>(
    { route: 'POST /order', access: forEveryone, ...declared },
    (request) => {
      seen = request;
      return respond();
    },
  );
  const event = {
    path: '/order',
    httpMethod: 'POST',
    headers: {},
    pathParameters: null,
    queryStringParameters: null,
    body: null,
    isBase64Encoded: false,
    ...sent,
  };
  const result = await handler(event as unknown as APIGatewayProxyEvent, {} as Context);
  return {
    status: result.statusCode,
    headers: result.headers ?? {},
    body: JSON.parse(result.body) as Record<string, unknown>,
    text: result.body,
  };
}

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

const GOOD_BODY = JSON.stringify({ items: [{ productId: 'mug', quantity: 1 }] });

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
      'Content-Type': 'application/json',
      Location: '/order/1',
      'X-Correlation-Id': 'fresh-id',
    });
  });

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

describe('a body', () => {
  const endpoint = { body: jsonBody(bodySchema) };

  test('that is well-formed reaches the use case parsed', async () => {
    await call({ body: GOOD_BODY }, endpoint);
    expect(seen?.body).toEqual({ items: [{ productId: 'mug', quantity: 1 }] });
  });

  test('in base64 is decoded first', async () => {
    const body = Buffer.from(GOOD_BODY).toString('base64');
    const answer = await call({ body, isBase64Encoded: true }, endpoint);
    expect(answer.status).toBe(200);
    expect(seen?.body).toEqual(JSON.parse(GOOD_BODY));
  });

  test.each([null, '', '{', 'items=mug', '{"items":[]}}', "{'items':[]}"])(
    '%j is no JSON: 400',
    async (body) => {
      const answer = await call({ body }, endpoint);
      expect(answer).toMatchObject({
        status: 400,
        headers: { 'Content-Type': 'application/problem+json' },
        body: { code: 'BAD_REQUEST', detail: 'The body must be JSON.', instance: '/order' },
      });
      expect(seen).toBeUndefined();
    },
  );

  test.each([
    ['{}', ['items']],
    ['{"items":[]}', ['items']],
    ['{"items":{}}', ['items']],
    ['null', ['']],
    ['[]', ['']],
    ['"text"', ['']],
    ['{"items":[{"productId":"mug","quantity":1.5}]}', ['items.0.quantity']],
    ['{"items":[{"productId":"mug","quantity":"1"}]}', ['items.0.quantity']],
    ['{"items":[{"productId":"mug","quantity":1e400}]}', ['items.0.quantity']],
    ['{"items":[{"productId":"mug","quantity":9007199254740993}]}', ['items.0.quantity']],
    ['{"items":[{"productId":7,"quantity":null}]}', ['items.0.productId', 'items.0.quantity']],
    ['{"items":[{"productId":"mug","quantity":1,"price":0}]}', ['items.0']],
    ['{"items":[{"productId":"mug","quantity":1}],"userId":"bob"}', ['']],
    ['{"items":[{"productId":"mug","quantity":1}],"__proto__":{"a":1}}', ['']],
  ])('%s is 400 and names the fields at fault', async (body, fields) => {
    const answer = await call({ body }, endpoint);
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    const errors = answer.body['errors'] as { field: string; message: string }[];
    expect(errors.map(({ field }) => field)).toEqual(fields);
    for (const { message } of errors) expect(answer.body['detail']).toContain(message);
    expect(seen).toBeUndefined();
  });

  test('with an unknown field is told which', async () => {
    const answer = await call({ body: '{"items":[],"coupon":1}' }, endpoint);
    expect(answer.body['detail']).toContain('coupon');
  });

  const bodyOfBytes = (bytes: number) => {
    const frame = JSON.stringify({ items: [{ productId: '', quantity: 1 }] });
    return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
  };

  test('of exactly 64 KiB is taken', async () => {
    const answer = await call({ body: bodyOfBytes(65_536) }, endpoint);
    expect(answer.status).toBe(200);
  });

  test('of one byte more is 400, before anything reads it', async () => {
    const answer = await call({ body: bodyOfBytes(65_537) }, endpoint);
    expect(answer).toMatchObject({ status: 400, body: { code: 'BODY_TOO_LARGE' } });
    expect(seen).toBeUndefined();
  });

  test('is measured in bytes as sent, not in characters', async () => {
    const body = JSON.stringify({ items: [{ productId: 'ä'.repeat(33_000), quantity: 1 }] });
    expect(body.length).toBeLessThan(65_536);
    expect((await call({ body }, endpoint)).body['code']).toBe('BODY_TOO_LARGE');
  });

  test('in base64 is measured decoded', async () => {
    const encode = (bytes: number) => Buffer.from(bodyOfBytes(bytes)).toString('base64');
    const small = await call({ body: encode(65_536), isBase64Encoded: true }, endpoint);
    const large = await call({ body: encode(65_537), isBase64Encoded: true }, endpoint);
    expect([small.status, large.status]).toEqual([200, 400]);
  });

  test('is not looked at where the route takes none', async () => {
    expect((await call({ body: '{' })).status).toBe(200);
    expect(seen?.body).toBeUndefined();
  });
});

describe('path and query', () => {
  test('reach the use case, parsed and with defaults', async () => {
    const endpoint = { query: queryParameters(querySchema) };
    await call({ pathParameters: { orderId: 'ord_1', gone: undefined } }, endpoint);
    expect(seen).toMatchObject({ path: { orderId: 'ord_1' }, query: { limit: 20 } });
    expect(seen?.path).not.toHaveProperty('gone');
    await call({ queryStringParameters: { limit: '5' } }, endpoint);
    expect(seen?.query).toEqual({ limit: 5 });
  });

  test.each([{ limit: '0' }, { limit: 'many' }, { limit: '1.5' }, { offset: '1' }])(
    'the query %j is 400',
    async (queryStringParameters) => {
      const answer = await call({ queryStringParameters }, { query: queryParameters(querySchema) });
      expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
      expect(answer.body['detail']).toContain(Object.keys(queryStringParameters)[0]);
    },
  );
});

describe('Prefer', () => {
  test.each([
    [undefined, 0],
    ['', 0],
    ['wait=0', 0],
    ['wait=1', 1],
    ['wait=10', 10],
    ['wait=11', 10],
    ['wait=3600', 10],
    ['wait=99999999999999999999', 10],
    ['WAIT=3', 3],
    ['wait = 3', 3],
    ['wait="3"', 3],
    ['respond-async, wait=5', 5],
    ['wait=5, respond-async', 5],
    ['respond-async,wait=5', 5],
    ['wait=2, wait=9', 2],
    ['wait', 0],
    ['wait=', 0],
    ['wait=-1', 0],
    ['wait=soon', 0],
    ['x-wait=5', 0],
    ['await=5', 0],
    ['respond-async', 0],
  ])('%j waits %i seconds', async (prefer, seconds) => {
    await call({ headers: prefer === undefined ? {} : { Prefer: prefer } });
    expect(seen?.waitSeconds).toBe(seconds);
  });
});

describe('Idempotency-Key', () => {
  const declared = { idempotency: idempotent() };

  /** The table of answers is out of reach: what gets that far is 503, and nothing is done. */
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

describe('access', () => {
  test('to a public route needs no token, and the caller is nobody', async () => {
    expect((await call({ headers: { Authorization: 'Bearer nonsense' } })).status).toBe(200);
    expect(seen?.user).toEqual({ userId: '', scopes: new Set() });
  });

  test('without a token is 401 before the body is read', async () => {
    const answer = await call({ body: '{' }, { access: forUsers(), body: jsonBody(bodySchema) });
    expect(answer).toMatchObject({
      status: 401,
      headers: {
        'Content-Type': 'application/problem+json',
        'WWW-Authenticate': 'Bearer',
      },
      body: { status: 401, code: 'UNAUTHENTICATED' },
    });
  });

  test('that must prove its body is shown the bytes as they were sent, and the headers', async () => {
    const bytes = Buffer.from('{"items":[{"productId":"Müll","quantity":1}]} ');
    const shown: [Buffer, string | undefined][] = [];
    const signature = signedBody((rawBody, header) => {
      shown.push([rawBody, header('x-proof')]);
      return Promise.resolve();
    });
    const headers = { 'X-Proof': 'abc' };
    const endpoint = { body: jsonBody(bodySchema), signature };
    await call({ headers, body: bytes.toString('utf8') }, endpoint);
    await call({ headers, body: bytes.toString('base64'), isBase64Encoded: true }, endpoint);
    expect(shown).toEqual([
      [bytes, 'abc'],
      [bytes, 'abc'],
    ]);
    expect(seen?.body).toEqual({ items: [{ productId: 'Müll', quantity: 1 }] });
  });

  test('whose body proves nothing is 401 before it is parsed', async () => {
    const signature = signedBody(() => Promise.reject(new BadSignature('Sign it.')));
    expect(await call({ body: '{' }, { body: jsonBody(bodySchema), signature })).toMatchObject({
      status: 401,
      headers: { 'WWW-Authenticate': 'Signature' },
      body: { code: 'BAD_SIGNATURE', detail: 'Sign it.' },
    });
    expect(seen).toBeUndefined();
  });

  test("with a good token reaches the use case as the token's subject", async () => {
    const headers = { authorization: `Bearer ${await tokenOf(issuer)}` };
    expect((await call({ headers }, { access: forUsers() })).status).toBe(200);
    expect(seen?.user.userId).toBe('alice');
  });

  test('without the scope is 403, with it 200', async () => {
    const endpoint = { access: forUsers('products:write') };
    const call403 = { headers: { authorization: `Bearer ${await tokenOf(issuer)}` } };
    expect(await call(call403, endpoint)).toMatchObject({
      status: 403,
      body: { code: 'MISSING_SCOPE' },
    });
    expect(seen).toBeUndefined();
    const token = await tokenOf(issuer, { scope: 'openid products:write' });
    expect((await call({ headers: { authorization: `Bearer ${token}` } }, endpoint)).status).toBe(
      200,
    );
  });

  test('while the key server is down is 503, not 401', async () => {
    const headers = { authorization: `Bearer ${await tokenOf(issuer)}` };
    issuer.behave('hangs-up');
    const answer = await call({ headers }, { access: forUsers() });
    issuer.behave('answers');
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'Retry-After': '2' },
      body: { code: 'TEMPORARILY_UNAVAILABLE' },
    });
    expect(answer.headers).not.toHaveProperty('WWW-Authenticate');
  });

  test("to a service's route takes the services' credential only", async () => {
    const endpoint = { access: forServices() };
    const user = await tokenOf(issuer, { scope: 'products:write' });
    const statusWith = async (token: string) =>
      (await call({ headers: { authorization: `Bearer ${token}` } }, endpoint)).status;
    expect(await statusWith(user)).toBe(401);
    expect(await statusWith(REQUIRED.INVENTORY_CREDENTIAL)).toBe(200);
    expect((await call({}, endpoint)).status).toBe(401);
  });
});

describe('access for users and the other service', () => {
  const endpoint = { access: forUsersAndServices() };
  const statusWith = async (authorization: string) =>
    (await call({ headers: { authorization } }, endpoint)).status;

  test('takes either, and tells them apart', async () => {
    expect(await statusWith(`Bearer ${REQUIRED.INVENTORY_CREDENTIAL}`)).toBe(200);
    expect(seen?.user).toEqual({ userId: '', scopes: new Set() });
    expect(await statusWith(`Bearer ${await tokenOf(issuer)}`)).toBe(200);
    expect(seen?.user.userId).toBe('alice');
  });

  test('takes nobody else', async () => {
    expect(await statusWith('Bearer x')).toBe(401);
    expect((await call({}, endpoint)).status).toBe(401);
  });
});

describe('If-Match', () => {
  test.each([
    [undefined, undefined],
    ['*', undefined],
    [' * ', undefined],
    ['"3"', 3],
    [' "3" ', 3],
    ['"0"', 0],
  ])('%j asks for version %j', (ifMatch, version) => {
    expect(versionOf(ifMatch)).toBe(version);
  });

  test.each(['', '3', '"a"', '"-1"', '"1.5"', 'W/"3"', '"3", "4"', `"${'9'.repeat(16)}"`])(
    '%j is no ETag of ours: 400',
    (ifMatch) => {
      expect(() => versionOf(ifMatch)).toThrow(BadRequest);
    },
  );
});

describe('what a use case throws', () => {
  const throwing = (error: unknown) =>
    call({ path: '/order/ord_1' }, {}, () => {
      throw error;
    });

  test('as a domain error becomes its problem', async () => {
    const error = new IllegalTransition('Ask again.', { details: { orderId: 'ord_1' } });
    expect(await throwing(error)).toMatchObject({
      status: 409,
      headers: { 'Content-Type': 'application/problem+json' },
      body: { code: 'ILLEGAL_TRANSITION', orderId: 'ord_1', instance: '/order/ord_1' },
    });
  });

  test('says when to come back, where coming back helps', async () => {
    const outage = new InfrastructureUnavailable('Again.', { retryAfterSeconds: 7 });
    expect((await throwing(outage)).headers['Retry-After']).toBe('7');
    expect((await throwing(new NotFound('No.'))).headers).not.toHaveProperty('Retry-After');
    const unknownOutage = new InfrastructureUnavailable('Later.');
    expect((await throwing(unknownOutage)).headers['Retry-After']).toBe('1');
  });

  test.each([
    ['a defect', new TypeError('cannot read password of undefined')],
    ['an SDK error', Object.assign(new Error('password at arn:aws'), { $metadata: {} })],
    ['no error at all', 'password'],
    ['nothing', undefined],
  ])('as %s is a 500 that gives nothing away', async (_what, error) => {
    const answer = await throwing(error);
    expect(answer).toMatchObject({
      status: 500,
      headers: { 'Content-Type': 'application/problem+json', 'X-Correlation-Id': 'fresh-id' },
      body: { code: 'INTERNAL_ERROR', title: 'Something went wrong', status: 500 },
    });
    expect(answer.text).not.toContain('password');
    expect(answer.text).not.toContain('stack');
  });
});
