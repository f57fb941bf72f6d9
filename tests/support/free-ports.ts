import { once } from 'node:events';
import { createServer } from 'node:net';

const PORTS = [
  'API_PORT',
  'COMPANION_PORT',
  'STEP_FUNCTIONS_PORT',
  'QUEUES_PORT',
  'DYNAMODB_PORT',
] as const;

/** Settings for a local start in a process of its own, with ports that are free now. */
export async function freePorts(): Promise<Record<string, string>> {
  const ports = PORTS.map(async (name) => [name, await freePort()] as const);
  return Object.fromEntries(await Promise.all(ports));
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return String(typeof address === 'object' && address !== null ? address.port : 0);
}
