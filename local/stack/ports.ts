import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { StartupProblem } from './startup-problem.ts';

/** One port of the stack, its server, and the environment variable that chooses another port. */
export interface PortRequest {
  readonly port: number;
  readonly part: string;
  readonly variable: string;
}

export class PortInUseError extends StartupProblem {
  override readonly name = 'PortInUseError';
  readonly taken: readonly PortRequest[];

  constructor(taken: readonly PortRequest[]) {
    const isOne = taken.length === 1;
    const lines = taken.map(({ port, part }) => `  ${String(port)}, which ${part} wants`);
    const others = taken.map(({ port, variable }) => `${variable}=${String(port + 1)}`);
    super(
      `${isOne ? 'A port is' : 'Ports are'} taken by another program:\n${lines.join('\n')}\n` +
        `Stop it, or choose ${isOne ? 'another' : 'others'}: ${others.join(' ')} npm start`,
    );
    this.taken = taken;
  }
}

/**
 * Checks the ports before anything starts, because some parts end the process if their port is taken.
 * @throws PortInUseError that names every taken port; port 0 is never taken.
 */
export async function assertPortsFree(host: string, requests: readonly PortRequest[]) {
  const checked = await Promise.all(
    requests.map(async (request) => ({
      request,
      isTaken: request.port !== 0 && (await isTaken(host, request.port)),
    })),
  );
  const taken = checked.flatMap(({ request, isTaken }) => (isTaken ? [request] : []));
  if (taken.length > 0) throw new PortInUseError(taken);
}

/** Finds a port that is free now, for a program that cannot choose one itself. */
export async function findFreePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const MOST_PORTS = 5;

/**
 * Starts a program that cannot choose a port itself. Another program may take the free port before this one binds
 * it. A start that fails for that reason is repeated with another port.
 */
export async function onAnyFreePort<Started>(
  start: (port: number) => Promise<Started>,
  host = '127.0.0.1',
): Promise<Started> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start(await findFreePort(host));
    } catch (error) {
      const isTaken = error instanceof Error && /Failed to bind|EADDRINUSE/.test(error.message);
      if (!isTaken || tries === MOST_PORTS) throw error;
    }
  }
}

/**
 * True if the port is taken. Listening alone is no proof: some systems let a program listen on one address while
 * another holds the port on all of them. A caller of `localhost` would then reach the other program.
 */
async function isTaken(host: string, port: number): Promise<boolean> {
  const checks = await Promise.all([
    cannotListen(host, port),
    answers('127.0.0.1', port),
    answers('::1', port),
  ]);
  return checks.includes(true);
}

function cannotListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(true);
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve(false);
      });
    });
  });
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (isAnswered: boolean) => () => {
      socket.destroy();
      resolve(isAnswered);
    };
    socket.once('connect', settle(true));
    socket.once('error', settle(false));
    socket.setTimeout(500, settle(false));
  });
}
