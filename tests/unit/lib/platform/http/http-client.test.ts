import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { passThrough } from '../../../../../lib/platform/effects.ts';
import {
  createHttpClient,
  traceHeaders,
  withTraceparent,
} from '../../../../../lib/platform/http/http-client.ts';

const ROOT = '1-5759e988-bd862e3fe1be46a994272793';
const PARENT = '53995c3f42cd8ad8';
const SAMPLED = `Root=${ROOT};Parent=${PARENT};Sampled=1`;
const FROM_XRAY = `00-5759e988bd862e3fe1be46a994272793-${PARENT}-01`;
const INCOMING = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('an outgoing call', () => {
  test('outside a trace carries no header of one', () => {
    expect(traceHeaders()).toEqual({});
    expect(traceHeaders('')).toEqual({});
  });

  test.each([
    [SAMPLED, FROM_XRAY],
    [`Root=${ROOT};Parent=${PARENT};Sampled=0`, FROM_XRAY.replace(/01$/, '00')],
    [`Sampled=1; Parent=${PARENT}; Root=${ROOT}`, FROM_XRAY],
    [`${SAMPLED};Lineage=25:a87bd80c:1`, FROM_XRAY],
    [SAMPLED.toUpperCase().replace('ROOT', 'Root').replace('PARENT', 'Parent'), undefined],
  ])('in the trace %j carries it as it is, and in W3C’s form', (header, traceparent) => {
    const headers = traceHeaders(header);
    expect(headers['x-amzn-trace-id']).toBe(header);
    if (traceparent !== undefined) expect(headers['traceparent']).toBe(traceparent);
  });

  test.each([
    'nonsense',
    `Root=${ROOT}`,
    `Root=${ROOT};Parent=`,
    `Root=${ROOT};Parent=0000000000000000;Sampled=1`,
    `Root=2-5759e988-bd862e3fe1be46a994272793;Parent=${PARENT}`,
    `Root=1-00000000-000000000000000000000000;Parent=${PARENT}`,
  ])('in the trace %j, which has no form of W3C’s, carries only it', (header) => {
    expect(traceHeaders(header)).toEqual({ 'x-amzn-trace-id': header });
  });
});

describe('a request’s own traceparent', () => {
  const outgoing = (traceparent: string | undefined, header?: string) =>
    withTraceparent(traceparent, () => Promise.resolve(traceHeaders(header)));

  test('goes on with every call that the request makes', async () => {
    expect(await outgoing(INCOMING)).toEqual({ traceparent: INCOMING });
    expect(await outgoing(INCOMING, SAMPLED)).toEqual({
      'x-amzn-trace-id': SAMPLED,
      traceparent: INCOMING,
    });
  });

  test.each([
    undefined,
    '',
    INCOMING.toUpperCase(),
    `${INCOMING}-more`,
    INCOMING.replace('00-', 'ff-'),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    '00-short-b7ad6b7169203331-01',
    `${INCOMING}\r\nx-evil: 1`,
  ])('that is %j is not passed on', async (traceparent) => {
    expect(await outgoing(traceparent)).toEqual({});
    expect(await outgoing(traceparent, SAMPLED)).toMatchObject({ traceparent: FROM_XRAY });
  });

  test('is no other request’s', async () => {
    const other = INCOMING.replace('0af7', '1111');
    const [first, second, none] = await Promise.all([
      outgoing(INCOMING),
      outgoing(other),
      outgoing(undefined),
    ]);
    expect([first, second, none]).toEqual([{ traceparent: INCOMING }, { traceparent: other }, {}]);
    expect(traceHeaders()).toEqual({});
  });
});

describe('the HTTP client', () => {
  let received: IncomingHttpHeaders;
  const server = createServer((request, response) => {
    received = request.headers;
    request.resume();
    const status = request.headers['x-redirected'];
    // Followed, it would be answered.
    if (status === undefined || request.url === '/elsewhere') response.end('{}');
    else response.writeHead(Number(status), { location: '/elsewhere' }).end();
  });
  const call = (headers: Readonly<Record<string, string>>, trace?: string) => {
    vi.stubEnv('_X_AMZN_TRACE_ID', trace);
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${String(port)}/inventory`;
    return createHttpClient(passThrough)({ method: 'PUT', url, headers, timeoutMs: 5000 });
  };
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    server.close();
  });
  beforeEach(() => {
    received = {};
  });

  test('sends the trace headers of the moment with every call', async () => {
    await call({ 'x-correlation-id': 'c-1' }, 'first');
    expect(received).toMatchObject({ 'x-amzn-trace-id': 'first', 'x-correlation-id': 'c-1' });
    await call({}, 'second');
    expect(received['x-amzn-trace-id']).toBe('second');
  });

  test('sends none outside a trace', async () => {
    await call({});
    expect(received).not.toHaveProperty('x-amzn-trace-id');
    expect(received).not.toHaveProperty('traceparent');
  });

  test.each(['301', '302', '303', '307', '308'])(
    'does not follow a redirect (%s)',
    async (status) => {
      await expect(call({ 'x-redirected': status, 'x-secret': 'mine' })).rejects.toThrow(
        'fetch failed',
      );
      expect(received).toHaveProperty('x-redirected', status);
    },
  );
});
