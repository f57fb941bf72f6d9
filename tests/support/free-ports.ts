import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

const NAMES = [
  'API_PORT',
  'COMPANION_PORT',
  'STEP_FUNCTIONS_PORT',
  'QUEUES_PORT',
  'DYNAMODB_PORT',
] as const;

/** Below the ports that systems give to outgoing connections, which would take one before the process listens. */
const [FIRST_PORT, END_PORT] = [20_000, 32_000];

/** Settings for a local start in a process of its own, with ports that are free now. */
export async function freePorts(): Promise<Record<string, string>> {
  const ports = new Set<number>();
  while (ports.size < NAMES.length) {
    const port = randomInt(FIRST_PORT, END_PORT);
    if (await isFree(port)) ports.add(port);
  }
  const free = ports.values();
  return Object.fromEntries(NAMES.map((name) => [name, String(free.next().value)]));
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
