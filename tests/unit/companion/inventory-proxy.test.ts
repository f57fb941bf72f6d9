import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request as sendRequest } from 'node:http';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Companion } from '../../../local/companion/server.ts';
import { type FakeInventory, startFakeInventory } from './fake-inventory.ts';
import { send, startTestCompanion } from './support.ts';

let inventory: FakeInventory;
let companion: Companion;

beforeEach(async () => {
  inventory = await startFakeInventory();
  companion = await startTestCompanion({ inventory });
});

afterEach(async () => {
  await companion.stop();
  await inventory.stop();
});

interface RawRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

/** Calls through the proxy, with a raw request and a raw response. */
async function callThrough(path: string, { method, headers = {}, body }: RawRequest = {}) {
  const request = sendRequest(companion.url, {
    path: `/proxy/inventory${path}`,
    method,
    headers: headers as Record<string, string | string[]>,
    agent: false,
  });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await buffer(answer) };
}

describe('without a fault', () => {
  it.each([
    ['/inventory/reservation/ord_1?revision=1', '/inventory/reservation/ord_1?revision=1'],
    ['/product/prod%2Fa%20b?x=%C3%A9&x=2&empty=', '/product/prod%2Fa%20b?x=%C3%A9&x=2&empty='],
    ['/../a/./b//c?a=b?c', '/../a/./b//c?a=b?c'],
    ['/', '/'],
  ])('forwards %s as %s', async (path, url) => {
    await callThrough(path);
    expect(inventory.received.map((received) => received.url)).toEqual([url]);
  });

  it('keeps the path that Inventory itself stands under', async () => {
    for (const url of [`${inventory.url}/prod`, `${inventory.url}/prod/`]) {
      const staged = await startTestCompanion({ inventory: { url } });
      expect(staged.inventoryProxyUrl).toBe(`${staged.url}/proxy/inventory`);
      await send(`${staged.inventoryProxyUrl}/product/x?y=1`);
      await staged.stop();
    }
    expect(inventory.received.map(({ url }) => url)).toEqual([
      '/prod/product/x?y=1',
      '/prod/product/x?y=1',
    ]);
  });

  it('names the server as it is told to, else by its URL', async () => {
    await callThrough('/x');
    const named = { url: inventory.url, host: 'abc.lambda-url.eu-central-1.on.aws' };
    const other = await startTestCompanion({ inventory: named });
    await send(`${other.inventoryProxyUrl}/x`);
    await other.stop();
    const hosts = inventory.received.map(({ headers }) => headers.host);
    expect(hosts).toEqual([new URL(inventory.url).host, named.host]);
  });

  it.each([
    ['GET', ''],
    ['HEAD', ''],
    ['DELETE', ''],
    ['PUT', '{"revision":1}'],
    ['POST', ''],
    ['PATCH', 'no JSON at all'],
    ['DELETE', 'a body where few expect one'],
  ])('forwards %s with the body "%s"', async (method, body) => {
    const headers = { 'content-length': String(body.length) };
    expect((await callThrough('/x', { method, headers, body })).status).toBe(200);
    const [received] = inventory.received;
    expect([received?.method, received?.body.toString()]).toEqual([method, body]);
  });

  it.each([
    ['in one piece', { 'content-length': '1000000' }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ] as const)('forwards a long body %s, byte by byte', async (_how, headers) => {
    const body = Buffer.alloc(1_000_000, Buffer.from([0, 255, 128, 10, 13]));
    // For a DELETE, Node would send a body of unknown length without its end.
    await callThrough('/x', { method: 'DELETE', headers, body });
    expect(inventory.received[0]?.body.equals(body)).toBe(true);
  });

  it('forwards the headers, but for those of the connection', async () => {
    await callThrough('/x', {
      method: 'PUT',
      body: '{}',
      headers: {
        authorization: 'Bearer secret',
        'x-correlation-id': 'shop-1',
        'content-type': 'application/json',
        'content-length': '2',
        'x-twice': ['1', '2'],
        cookie: ['a=1', 'b=2'],
        connection: 'close, X-Only-Here',
        'x-only-here': 'dropped',
        'keep-alive': 'timeout=5',
        te: 'trailers',
        'proxy-authorization': 'Basic dropped',
      },
    });
    const expected: IncomingHttpHeaders = {
      authorization: 'Bearer secret',
      'x-correlation-id': 'shop-1',
      'content-type': 'application/json',
      'content-length': '2',
      'x-twice': '1, 2',
      cookie: 'a=1; b=2',
      host: new URL(inventory.url).host,
      connection: 'close',
    };
    expect(inventory.received[0]?.headers).toEqual(expected);
  });

  it('passes on status, headers and body of the answer as they are', async () => {
    const body = gzipSync('{"code":"RESERVATION_GONE"}');
    inventory.answer = (_request, response) => {
      response
        .writeHead(410, {
          'content-type': 'application/problem+json',
          'content-encoding': 'gzip',
          date: 'Sun, 01 Mar 2026 12:00:00 GMT',
          'set-cookie': ['a=1', 'b=2'],
          'x-correlation-id': 'shop-1',
          connection: 'close, x-only-here',
          'x-only-here': 'dropped',
        })
        .end(body);
    };
    const answer = await callThrough('/x', { headers: { connection: 'keep-alive' } });
    expect(answer).toEqual({
      status: 410,
      headers: {
        'content-type': 'application/problem+json',
        'content-encoding': 'gzip',
        date: 'Sun, 01 Mar 2026 12:00:00 GMT',
        'set-cookie': ['a=1', 'b=2'],
        'x-correlation-id': 'shop-1',
        connection: 'keep-alive',
        'transfer-encoding': 'chunked',
      },
      body,
    });
  });

  it('forwards what comes at the same time at the same time', async () => {
    const waiting: (() => void)[] = [];
    inventory.answer = (_request, response) => {
      waiting.push(() => response.end('{}'));
      if (waiting.length === 20) for (const answer of waiting) answer();
    };
    const calls = Array.from({ length: 20 }, () => callThrough('/x'));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200));
  });
});

describe('when a connection breaks', () => {
  it('cuts the caller where nobody listens', async () => {
    await inventory.stop();
    await expect(callThrough('/x')).rejects.toThrow('socket hang up');
    inventory = await startFakeInventory();
  });

  it.each([
    ['hangs up', 'destroy'],
    ['resets the connection', 'resetAndDestroy'],
  ] as const)('cuts the caller where Inventory %s, before or within its answer', async (_, how) => {
    inventory.answer = ({ socket }) => {
      socket[how]();
    };
    await expect(callThrough('/x')).rejects.toThrow('socket hang up');
    inventory.answer = ({ socket }, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{', () => {
        socket[how]();
      });
    };
    await expect(callThrough('/x')).rejects.toThrow('socket hang up');
    expect((await send(`${companion.url}/faults`)).status).toBe(200);
  });

  it('forwards nothing of a caller that leaves in the middle of its request', async () => {
    const socket = connect(companion.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `PUT /proxy/inventory/x HTTP/1.1\r\nHost: localhost:${String(companion.port)}\r\nContent-Length: 100\r\n\r\n{"rev`,
    );
    socket.destroy();
    await once(socket, 'close');
    await callThrough('/after');
    expect(inventory.received.map(({ url }) => url)).toEqual(['/after']);
  });

  it('does not take back what was forwarded when the caller leaves', async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<() => void>();
    const outcomes: string[] = [];
    inventory.answer = (_request, response) => {
      response.on('finish', () => outcomes.push('finished'));
      response.on('close', () => outcomes.push('closed'));
      arrive(() => response.end('{}'));
    };
    const leaving = new AbortController();
    const call = fetch(`${companion.inventoryProxyUrl}/x`, { signal: leaving.signal });
    const answer = await arrived;
    leaving.abort();
    await expect(call).rejects.toThrow('aborted');
    await send(`${companion.url}/faults`);
    answer();
    await vi.waitFor(() => {
      expect(outcomes).toEqual(['finished', 'closed']);
    });
  });

  it('lets go of both sides when the companion stops', async () => {
    const { promise: hungUp, resolve } = Promise.withResolvers<unknown>();
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<unknown>();
    inventory.answer = (request, response) => {
      response.on('close', resolve);
      arrive(request);
    };
    const call = callThrough('/x');
    call.catch(() => undefined);
    await arrived;
    await companion.stop();
    await hungUp;
    await expect(call).rejects.toThrow('socket hang up');
  });
});
