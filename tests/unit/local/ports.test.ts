import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  assertPortsFree,
  findFreePort,
  onAnyFreePort,
  PortInUseError,
} from '../../../local/stack/ports.ts';

describe('assertPortsFree', () => {
  it.each(['127.0.0.1', '0.0.0.0'])(
    'names all ports taken on %s at once, and the way out',
    async (host) => {
      const other = createServer().listen(0, host);
      await once(other, 'listening');
      const another = createServer().listen(0, host);
      await once(another, 'listening');
      const { port } = other.address() as AddressInfo;
      const { port: anotherPort } = another.address() as AddressInfo;
      const check = assertPortsFree('127.0.0.1', [
        { port: 0, part: 'the companion', variable: 'COMPANION_PORT' },
        { port, part: 'the API', variable: 'API_PORT' },
        { port: anotherPort, part: 'SQS', variable: 'QUEUES_PORT' },
      ]);

      const problem: unknown = await check.catch((error: unknown) => error);
      other.close();
      another.close();

      expect(problem).toBeInstanceOf(PortInUseError);
      const wants = `${port}, which the API wants\n  ${anotherPort}, which SQS wants\n`;
      expect(String(problem)).toContain(wants);
      const others = `API_PORT=${port + 1} QUEUES_PORT=${anotherPort + 1}`;
      expect(String(problem)).toContain(`${others} npm start`);
    },
  );

  it('passes free ports, and 0 as often as one likes', async () => {
    const port = await findFreePort('127.0.0.1');
    await expect(
      assertPortsFree('127.0.0.1', [
        { port, part: 'the API', variable: 'API_PORT' },
        { port: 0, part: 'SQS', variable: 'QUEUES_PORT' },
        { port: 0, part: 'the companion', variable: 'COMPANION_PORT' },
      ]),
    ).resolves.toBeUndefined();
  });
});

describe('a program that cannot choose a port itself', () => {
  it('is started on another port when the one found free was taken first', async () => {
    const ports: number[] = [];
    const started = await onAnyFreePort((port) => {
      ports.push(port);
      return ports.length < 3
        ? Promise.reject(
            new Error(`java.io.IOException: Failed to bind to 0.0.0.0:${String(port)}`),
          )
        : Promise.resolve('started');
    });
    expect([started, ports.length]).toEqual(['started', 3]);
  });

  it('is not started again for another reason, nor for ever', async () => {
    let starts = 0;
    const failing = (message: string) => () => {
      starts += 1;
      return Promise.reject(new Error(message));
    };
    await expect(onAnyFreePort(failing('No memory.'))).rejects.toThrow('No memory.');
    expect(starts).toBe(1);
    await expect(onAnyFreePort(failing('Failed to bind.'))).rejects.toThrow('Failed to bind.');
    expect(starts).toBe(6);
  });
});
