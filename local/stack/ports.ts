import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { StartupProblem } from './startup-problem.ts';

/** One port of the stack: what listens there, and the environment variable that chooses another. */
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
 * Looks before anything starts, because some parts end the process when their port is taken.
 * @throws PortInUseError that names every port that is taken; port 0 never is.
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

/** A port that is free now; for a program that cannot be asked to choose one itself. */
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
 * Starts a program that cannot choose a port itself. Another one may take the port that was found free before the
 * program binds it, so a start that fails for that reason begins again with another port.
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
 * Listening alone does not tell: some systems let a program listen on one address while another
 * holds the port on all of them, and a caller of `localhost` would then meet the other.
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
