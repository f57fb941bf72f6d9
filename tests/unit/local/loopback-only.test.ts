import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { listeningOnLoopback } from '../../../local/stack/loopback-only.ts';

async function listenEverywhere() {
  const server = createServer();
  // A library may do other work before it listens.
  await pause(1);
  server.listen({ port: 0, host: '0.0.0.0' });
  await once(server, 'listening');
  return {
    address: (server.address() as AddressInfo).address,
    stop: () => stopped(server),
  };
}

async function stopped(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

describe('listeningOnLoopback', () => {
  it('directs the server that is started to loopback, and no other', async () => {
    const [mine, other] = await Promise.all([
      listeningOnLoopback(listenEverywhere),
      listenEverywhere(),
    ]);
    const later = await listenEverywhere();
    expect([mine.address, other.address, later.address]).toEqual([
      '127.0.0.1',
      '0.0.0.0',
      '0.0.0.0',
    ]);
    for (const server of [mine, other, later]) await server.stop();
  });

  it('stops what listens in a way that it does not know', async () => {
    let isStopped = false;
    const start = () =>
      Promise.resolve({
        stop: () => {
          isStopped = true;
          return Promise.resolve();
        },
      });
    await expect(listeningOnLoopback(start)).rejects.toThrow('belongs on loopback');
    expect(isStopped).toBe(true);
  });
});
