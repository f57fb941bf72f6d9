import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { Companion, CompanionOptions } from '../../../local/companion/server.ts';
import { startTestCompanion } from './support.ts';

let companion: Companion | undefined;

afterEach(async () => {
  await companion?.stop();
  companion = undefined;
});

/** Calls a companion with a given `Host` header; PORT in it stands for the companion's port. */
async function ask(host: string, options: Partial<CompanionOptions> = {}, path = '/stack') {
  companion ??= await startTestCompanion({
    stackEnvironment: () => ({ ORDERS_TABLE: 'orders' }),
    ...options,
  });
  const { port } = companion;
  const headers = { host: host.replace('PORT', String(port)) };
  const sent = request({ host: '127.0.0.1', port, path, headers }).end();
  const [response] = (await once(sent, 'response')) as [
    NodeJS.ReadableStream & { statusCode: number },
  ];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return {
    status: response.statusCode,
    body: JSON.parse(text) as { code?: string; detail?: string },
  };
}

describe('the companion', () => {
  test.each(['localhost:PORT', 'LOCALHOST:PORT', '127.0.0.1:PORT', '[::1]:PORT'])(
    'answers for itself as %s',
    async (host) => {
      expect(await ask(host)).toMatchObject({ status: 200 });
    },
  );

  test.each([
    ['a page whose name leads here', 'evil.example:PORT'],
    ['such a name without a port', 'evil.example'],
    ['a name that begins like its own', 'localhost.evil.example:PORT'],
    ['a name that holds its own', 'localhost:PORT@evil.example'],
    ['another port of this machine', 'localhost:1'],
    ['its own name without the port', 'localhost'],
    ['an address of the network, on which it does not listen', '192.168.1.7:PORT'],
  ])('refuses a request to %s', async (_who, host) => {
    const { status, body } = await ask(host);
    expect(status).toBe(421);
    expect(body).toMatchObject({
      code: 'WRONG_HOST',
      detail: expect.stringContaining('localhost') as unknown,
    });
    expect(JSON.stringify(body)).not.toContain('orders');
  });

  test('refuses it on every path: no token is made and Inventory is not asked', async () => {
    for (const path of [
      '/',
      '/issuer/jwks.json',
      '/gateway/charges?orderId=o',
      '/proxy/inventory/product',
    ]) {
      expect(await ask('evil.example', {}, path), path).toMatchObject({ status: 421 });
    }
  });

  test('answers under the name that its tokens give it: that of a tunnel, or for containers', async () => {
    const issuer = 'https://tunnel.example/issuer';
    expect(await ask('tunnel.example', { issuer })).toMatchObject({ status: 200 });
    expect(await ask('tunnel.example:81', { issuer })).toMatchObject({ status: 421 });
  });

  test('answers by any address where it listens on every one, and still by no other name', async () => {
    expect(await ask('192.168.1.7:PORT', { host: '0.0.0.0' })).toMatchObject({ status: 200 });
    expect(await ask('192.168.1.7:1')).toMatchObject({ status: 421 });
    expect(await ask('evil.example:PORT')).toMatchObject({ status: 421 });
  });
});
