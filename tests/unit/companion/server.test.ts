import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FAULT_MODE_NAMES } from '../../../local/companion/faults/fault-modes.ts';
import type { Companion } from '../../../local/companion/server.ts';
import { runNode } from './run-node.ts';
import { send, startTestCompanion, TestPayment } from './support.ts';

let companion: Companion;

beforeAll(async () => {
  companion = await startTestCompanion();
});

afterAll(() => companion.stop());

describe('what it answers', () => {
  it('lists its calls, payment method tokens and fault modes at the root', async () => {
    const { status, body } = await send(`${companion.url}/`);
    expect(status).toBe(200);
    const { calls, paymentMethodTokens, faultModes } = body as Record<string, object>;
    expect(Object.keys(calls ?? {})).toEqual([
      'GET /',
      'POST /gateway/charges',
      'GET /gateway/charges',
      'GET /gateway/charges/:paymentId',
      'POST /gateway/charges/:paymentId/void',
      'POST /gateway/charges/:paymentId/refund',
      'GET /issuer/jwks.json',
      'GET /issuer/.well-known/openid-configuration',
      'POST /issuer/token',
      'PUT /faults/inventory',
      'GET /faults',
      'DELETE /faults',
      '* /proxy/inventory/…',
    ]);
    expect(Object.keys(paymentMethodTokens ?? {})).toEqual([
      'tok_ok',
      'tok_async',
      'tok_declined',
      'tok_insufficient_funds',
      'tok_ack_lost',
      'tok_ack_late',
      'tok_ack_twice',
      'tok_unknown_event',
      'tok_untrue_event',
      'tok_never_captured',
      'tok_gateway_down',
      'tok_flaky',
      'tok_wrong_amount',
      'tok_wrong_currency',
      'tok_refused',
    ]);
    expect(Object.keys(faultModes ?? {})).toEqual(FAULT_MODE_NAMES);
  });

  it('shows a browser a start page that leads everywhere and loads nothing', async () => {
    const whole = await startTestCompanion({
      apiUrl: 'http://localhost:3000',
      logFile: '/home/<alice>/ordersaga.log',
      stackEnvironment: () => ({
        AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:8000',
        AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9324',
        AWS_ENDPOINT_URL_SFN: 'http://127.0.0.1:8083',
      }),
    });
    onTestFinished(() => whole.stop());
    const accept = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8';
    const response = await fetch(whole.url, { headers: { accept } });
    const page = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const part of [
      'href="http://localhost:3000/docs"',
      'href="http://localhost:3000/openapi.json"',
      'href="http://localhost:3000/health"',
      'href="/faults"',
      'action="/gateway/charges"',
      `curl -s ${whole.url}/issuer/token -d`,
      'prod-grinder',
      'tok_ack_lost',
      'lost_response',
      'http://127.0.0.1:8000',
      'http://127.0.0.1:9324',
      'http://127.0.0.1:8083',
      '/home/&lt;alice&gt;/ordersaga.log',
      'POST /issuer/token',
    ]) {
      expect(page).toContain(part);
    }
    expect(page).not.toMatch(/<script|<link|<img|\bsrc=|url\(/);
  });

  it.each([
    ['/nowhere'],
    ['/gateway'],
    ['/gateway/charges/pay-1/capture'],
    ['//'],
    ['/issuer/'],
    ['/faults/payments'],
    ['/proxy/inventory'],
    ['/proxy/payments/payment'],
  ])('has nothing at %s', async (path) => {
    expect(await send(`${companion.url}${path}?query=1`)).toMatchObject({
      status: 404,
      contentType: 'application/problem+json',
      body: {
        type: 'about:blank',
        title: 'Not Found',
        status: 404,
        detail: expect.any(String) as unknown,
        instance: path,
        code: 'NOT_FOUND',
      },
    });
  });

  it.each([
    ['DELETE', '/gateway/charges', 'POST, GET'],
    ['DELETE', '/gateway/charges/pay-1', 'GET'],
    ['GET', '/gateway/charges/pay-1/void', 'POST'],
    ['GET', '/issuer/token', 'POST'],
    ['POST', '/', 'GET'],
    ['POST', '/faults', 'GET, DELETE'],
    ['DELETE', '/faults/inventory', 'PUT'],
  ])('does not allow %s %s', async (method, path, allow) => {
    const { status, headers, body } = await send(`${companion.url}${path}`, { method });
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe(allow);
    expect(body).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
  });

  it('refuses a body that is not JSON', async () => {
    const request = { method: 'POST', body: '{"subject":' };
    expect(await send(`${companion.url}/issuer/token`, request)).toMatchObject({
      status: 400,
      body: { code: 'BAD_REQUEST', detail: expect.stringContaining('not JSON') as unknown },
    });
  });

  it('takes a body of 64 KiB and refuses a longer one, however long', async () => {
    const post = (body: string): ReturnType<typeof send> =>
      send(`${companion.url}/issuer/token`, { method: 'POST', body });
    const token = '{"subject":"alice"}';
    expect((await post(token.padEnd(64 * 1024))).status).toBe(200);
    for (const bytes of [64 * 1024 + 1, 8 * 1024 * 1024]) {
      expect(await post(token.padEnd(bytes))).toMatchObject({
        status: 413,
        contentType: 'application/problem+json',
        body: { code: 'BODY_TOO_LARGE' },
      });
    }
  });

  it('refuses a path that is not percent-encoded', async () => {
    expect(await send(`${companion.url}/gateway/charges/%zz`)).toMatchObject({ status: 400 });
  });

  it('goes on, without a complaint, when a caller leaves in the middle of its body', async () => {
    const complain = vi.spyOn(console, 'error');
    const socket = connect(companion.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `POST /issuer/token HTTP/1.1\r\nHost: localhost:${String(companion.port)}\r\nContent-Length: 100\r\n\r\n{"sub`,
    );
    socket.destroy();
    await once(socket, 'close');
    expect((await send(`${companion.url}/`)).status).toBe(200);
    expect(complain).not.toHaveBeenCalled();
    complain.mockRestore();
  });
});

describe('starting and stopping', () => {
  it('listens where its URL says', async () => {
    expect(companion.url).toBe(`http://127.0.0.1:${String(companion.port)}`);
    const local = await startTestCompanion({ host: 'localhost' });
    expect(local.url).toBe(`http://localhost:${String(local.port)}`);
    expect((await send(`${local.url}/`)).status).toBe(200);
    await local.stop();
  });

  it('names a reachable address when it listens on all of them', async () => {
    const open = await startTestCompanion({ host: '0.0.0.0' });
    expect(open.url).toBe(`http://localhost:${String(open.port)}`);
    await open.stop();
  });

  it('passes on that the port is taken', async () => {
    await expect(startTestCompanion({ port: companion.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      syscall: 'listen',
      port: companion.port,
    });
  });

  it('remembers nothing of an earlier run', async () => {
    const first = await startTestCompanion();
    const payment = new TestPayment(first);
    await payment.charge('tok_ok');
    await first.stop();
    const second = await startTestCompanion();
    const path = `/gateway/charges/${payment.paymentId}`;
    expect((await send(`${second.url}${path}`)).status).toBe(404);
    await second.stop();
  });

  it('closes idle connections and unanswered requests when it stops', async () => {
    const stopping = await startTestCompanion();
    const idle = connect(stopping.port, '127.0.0.1');
    const unanswered = connect(stopping.port, '127.0.0.1');
    await Promise.all([once(idle, 'connect'), once(unanswered, 'connect')]);
    unanswered.write(
      `POST /issuer/token HTTP/1.1\r\nHost: localhost:${String(stopping.port)}\r\nContent-Length: 100\r\n\r\n{`,
    );
    await send(`${stopping.url}/`);
    const closed = Promise.all(
      [idle, unanswered].map(async (socket) => {
        socket.on('error', () => undefined);
        socket.resume();
        await once(socket, 'close');
      }),
    );
    await Promise.all([stopping.stop(), stopping.stop()]);
    await closed;
    await expect(send(`${stopping.url}/`)).rejects.toThrow('fetch failed');
  });

  it('leaves nothing behind that keeps the process alive', async () => {
    const serverModule = new URL('../../../local/companion/server.ts', import.meta.url).href;
    const clockModule = new URL('../../../lib/platform/clock.ts', import.meta.url).href;
    const program = `
      import { startCompanion } from '${serverModule}';
      import { systemClock } from '${clockModule}';
      const companion = await startCompanion({
        host: '127.0.0.1',
        port: 0,
        clock: systemClock,
        audience: 'test',
        inventory: { url: 'http://127.0.0.1:9' },
        apiUrl: 'http://127.0.0.1:9',
      });
      await (await fetch(companion.url)).json();
      await companion.stop();
      console.log('stopped');
    `;
    const finished = await runNode(['--input-type=module', '--eval', program]);
    expect(finished).toEqual({ exitCode: 0, stdout: 'stopped\n', stderr: '' });
  });
});
