import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CacheTimeout, LockContention } from '../../../lib/inventory/refusals.ts';
import { apiHandler, forEveryone } from '../../../lib/platform/http/api-handler.ts';
import type { Companion } from '../../../local/companion/server.ts';
import { REQUIRED } from '../lib/platform/environment.ts';
import { installTestRuntime } from '../lib/platform/test-issuer.ts';
import { type FakeInventory, startFakeInventory } from './fake-inventory.ts';
import { type Answer, NOW_SECONDS, send, startTestCompanion } from './support.ts';

const MODES = [
  'timeout',
  'http_500',
  'http_502',
  'http_503',
  'throttled',
  'restarting',
  'cache_timeout',
  'lock_contention',
  'reset',
  'lost_response',
];

const clock = {
  nowMs: NOW_SECONDS * 1000,
  now: () => clock.nowMs,
  schedule: () => () => undefined,
};

let inventory: FakeInventory;
let companion: Companion;

beforeEach(async () => {
  inventory = await startFakeInventory();
  companion = await startTestCompanion({ inventory, clock });
});

afterEach(async () => {
  await companion.stop();
  await inventory.stop();
});

function setFault(body: unknown): Promise<Answer> {
  return send(`${companion.url}/faults/inventory`, { method: 'PUT', body });
}

async function faultNow(): Promise<unknown> {
  return (await send(`${companion.url}/faults`)).body;
}

function callThrough(path = '/inventory/reservation/ord_1', method = 'PUT'): Promise<Answer> {
  return send(companion.inventoryProxyUrl + path, { method });
}

/** Cause of fetch's error if a connection ends without a response. */
async function causeOf(call: Promise<unknown>): Promise<unknown> {
  const error: unknown = await call.catch((reason: unknown) => reason);
  return (error as { cause?: { code?: unknown } }).cause?.code;
}

function problemDocument(status: number, code: string, title: string) {
  return {
    type: `urn:ordersaga:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: expect.stringContaining('try again'),
    instance: '/inventory/reservation/ord_1',
    code,
  };
}

describe('a call that is struck by', () => {
  it.each([
    ['http_500', 500, null, { message: 'Internal Server Error' }],
    ['http_502', 502, null, { message: 'Bad Gateway' }],
    ['http_503', 503, null, { message: 'Service Unavailable' }],
    ['throttled', 429, '1', { message: 'Too Many Requests' }],
    [
      'restarting',
      503,
      '5',
      problemDocument(503, 'INVENTORY_RESTARTING', 'Inventory is restarting'),
    ],
    [
      'cache_timeout',
      503,
      '1',
      problemDocument(503, 'CACHE_TIMEOUT', 'The cache did not answer in time'),
    ],
    [
      'lock_contention',
      503,
      '1',
      problemDocument(503, 'LOCK_CONTENTION', 'Too much contention at a product'),
    ],
  ])('%s is answered %i, Retry-After %s, and not forwarded', async (mode, status, wait, body) => {
    await setFault({ mode });
    const answer = await callThrough('/inventory/reservation/ord_1?revision=1');
    expect(answer).toMatchObject({ status, body });
    expect(answer.contentType).toBe(
      'code' in body ? 'application/problem+json' : 'application/json',
    );
    expect(answer.headers.get('retry-after')).toBe(wait);
    expect(inventory.received).toEqual([]);
  });

  it.each([
    ['cache_timeout', new CacheTimeout('The cache did not answer in time; try again.')],
    [
      'lock_contention',
      new LockContention('Many orders want the same product right now; try again.'),
    ],
  ])('%s is answered as by the Inventory Service itself', async (mode, error) => {
    installTestRuntime({ jwksUrl: REQUIRED.JWKS_URL });
    const path = '/inventory/reservation/ord_1';
    const handler = apiHandler({ route: `PUT ${path}`, access: forEveryone }, () =>
      Promise.reject(error),
    );
    const event = { path, headers: {}, queryStringParameters: null } as APIGatewayProxyEvent;
    const { statusCode, headers, body } = await handler(event, {} as Context);

    await setFault({ mode });
    const answer = await callThrough(path);

    expect(answer.status).toBe(statusCode);
    expect(answer.contentType).toBe(headers['Content-Type']);
    expect(answer.headers.get('retry-after')).toBe(headers['Retry-After']);
    expect(answer.body).toEqual(JSON.parse(body));
  });

  it('reset sees its connection reset, and is not forwarded', async () => {
    await setFault({ mode: 'reset', times: 1 });
    expect(await causeOf(callThrough())).toBe('ECONNRESET');
    expect(inventory.received).toEqual([]);
  });

  it('lost_response is done, and cut only then', async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<() => void>();
    inventory.answer = (_request, response) => {
      arrive(() => response.end('{}'));
    };
    await setFault({ mode: 'lost_response', times: 1 });
    let isCut = false;
    const cause = causeOf(callThrough()).finally(() => {
      isCut = true;
    });
    const finishWork = await arrived;
    expect(await faultNow()).toMatchObject({ inventory: { struck: 1 } });
    expect(isCut).toBe(false);
    finishWork();
    expect(await cause).toBe('UND_ERR_SOCKET');
    expect(inventory.received).toHaveLength(1);
  });

  it('timeout is neither forwarded nor answered, and ends when its caller leaves', async () => {
    await setFault({ mode: 'timeout', times: 1 });
    const caller = connect(companion.port, '127.0.0.1');
    const answered = text(caller);
    caller.write(
      `GET /proxy/inventory/product/x HTTP/1.1\r\nHost: localhost:${String(companion.port)}\r\n\r\n`,
    );
    await vi.waitFor(async () => {
      expect(await faultNow()).toMatchObject({ inventory: { struck: 1 } });
    });
    // A forwarded request would have arrived before this one.
    await callThrough('/after');
    caller.end();
    expect(await answered).toBe('');
    expect(inventory.received.map(({ url }) => url)).toEqual(['/after']);
  });

  it('timeout ends when the companion stops', async () => {
    await setFault({ mode: 'timeout' });
    const caller = connect(companion.port, '127.0.0.1');
    const answered = text(caller);
    caller.write(
      `GET /proxy/inventory/product/x HTTP/1.1\r\nHost: localhost:${String(companion.port)}\r\n\r\n`,
    );
    await vi.waitFor(async () => {
      expect(await faultNow()).toMatchObject({ inventory: { struck: 1 } });
    });
    await companion.stop();
    expect(await answered).toBe('');
  });
});

describe('the fault that is set', () => {
  const none = { inventory: null };

  it('is none to begin with', async () => {
    expect(await send(`${companion.url}/faults`)).toMatchObject({ status: 200, body: none });
  });

  it.each(MODES.map((mode) => [mode]))('can be %s', async (mode) => {
    const body = { inventory: { mode, times: 2, left: 2, struck: 0 } };
    expect(await setFault({ mode, times: 2 })).toMatchObject({ status: 200, body });
    expect(await faultNow()).toEqual(body);
  });

  it('strikes as many calls as it was told, and says how many are left', async () => {
    await setFault({ mode: 'http_500', times: 2 });
    expect((await callThrough('/a')).status).toBe(500);
    expect(await faultNow()).toEqual({
      inventory: { mode: 'http_500', times: 2, left: 1, struck: 1 },
    });
    expect((await callThrough('/b')).status).toBe(500);
    expect((await callThrough('/c')).status).toBe(200);
    expect(await faultNow()).toEqual({
      inventory: { mode: 'http_500', times: 2, left: 0, struck: 2 },
    });
    expect(inventory.received.map(({ url }) => url)).toEqual(['/c']);
  });

  it('strikes no more calls than that when twenty come together', async () => {
    await setFault({ mode: 'http_502', times: 3 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => callThrough()));
    expect(answers.filter(({ status }) => status === 502)).toHaveLength(3);
    expect(inventory.received).toHaveLength(17);
  });

  it('strikes until it is taken away where it was told no number', async () => {
    expect((await setFault({ mode: 'http_503' })).body).toEqual({
      inventory: { mode: 'http_503', times: null, left: null, struck: 0 },
    });
    for (let call = 0; call < 4; call += 1) expect((await callThrough()).status).toBe(503);
    expect(await faultNow()).toEqual({
      inventory: { mode: 'http_503', times: null, left: null, struck: 4 },
    });
    const taken = await send(`${companion.url}/faults`, { method: 'DELETE' });
    expect(taken).toMatchObject({ status: 200, body: none });
    expect((await callThrough()).status).toBe(200);
    expect(await faultNow()).toEqual(none);
  });

  it('leaves as many calls alone in each second as it was told', async () => {
    await setFault({ mode: 'throttled', callsPerSecond: 2 });
    const statuses = async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, () => callThrough()));
      return answers.map(({ status }) => status).sort();
    };
    expect(await statuses()).toEqual([200, 200, 429, 429, 429]);
    clock.nowMs += 1000;
    expect(await statuses()).toEqual([200, 200, 429, 429, 429]);
    expect(await faultNow()).toEqual({
      inventory: { mode: 'throttled', callsPerSecond: 2, times: null, left: null, struck: 6 },
    });
  });

  it('takes the place of an earlier one, and is counted from its own beginning', async () => {
    await setFault({ mode: 'http_500', times: 5 });
    await callThrough();
    await setFault({ mode: 'http_502', times: 1 });
    expect(await faultNow()).toEqual({
      inventory: { mode: 'http_502', times: 1, left: 1, struck: 0 },
    });
    expect((await callThrough()).status).toBe(502);
    expect((await callThrough()).status).toBe(200);
  });

  it('strikes no other call of the companion', async () => {
    await setFault({ mode: 'reset' });
    expect((await send(`${companion.url}/`)).status).toBe(200);
    expect((await send(`${companion.url}/issuer/jwks.json`)).status).toBe(200);
  });

  it.each([
    [{ mode: 'http_504' }],
    [{ mode: 'toString' }],
    [{ mode: 'TIMEOUT' }],
    [{ mode: null }],
    [{}],
  ])('cannot have the mode of %j: the answer names those there are', async (body) => {
    await setFault({ mode: 'http_500', times: 1 });
    expect(await setFault(body)).toMatchObject({
      status: 400,
      contentType: 'application/problem+json',
      body: { code: 'BAD_REQUEST', detail: `mode: must be one of ${MODES.join(', ')}` },
    });
    expect(await faultNow()).toMatchObject({ inventory: { mode: 'http_500' } });
  });

  it.each([[0], [-1], [1.5], ['2'], [null], [1e300]])('cannot have %j times', async (times) => {
    expect(await setFault({ mode: 'reset', times })).toMatchObject({
      status: 400,
      body: {
        detail:
          'times: must be a whole number of at least 1, or left out: then until it is taken away',
      },
    });
    expect(await faultNow()).toEqual(none);
  });

  it.each([[0], [0.5], ['4'], [null]])('cannot leave %j calls alone', async (callsPerSecond) => {
    expect(await setFault({ mode: 'throttled', callsPerSecond })).toMatchObject({
      status: 400,
      body: {
        detail:
          'callsPerSecond: must be a whole number of at least 1, or left out: then it strikes every call',
      },
    });
    expect(await faultNow()).toEqual(none);
  });

  it.each([[undefined], [[]], ['reset'], [{ mode: 'reset', for: 'ever' }]])(
    'cannot be set by %j',
    async (body) => {
      expect(await setFault(body)).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
      expect(await faultNow()).toEqual(none);
    },
  );
});
