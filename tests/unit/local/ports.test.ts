import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { assertPortsFree, findFreePort, PortInUseError } from '../../../local/stack/ports.ts';

describe('assertPortsFree', () => {
  it.each(['127.0.0.1', '0.0.0.0'])('names the port taken on %s and the way out', async (host) => {
    const other = createServer().listen(0, host);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const check = assertPortsFree('127.0.0.1', [
      { port: 0, part: 'the companion', variable: 'COMPANION_PORT' },
      { port, part: 'the API', variable: 'API_PORT' },
    ]);

    const problem: unknown = await check.catch((error: unknown) => error);
    other.close();

    expect(problem).toBeInstanceOf(PortInUseError);
    expect(String(problem)).toContain(`Port ${port}, which the API wants`);
    expect(String(problem)).toContain(`API_PORT=${port + 1} npm start`);
  });

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
