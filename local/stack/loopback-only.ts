import { AsyncLocalStorage } from 'node:async_hooks';
import { type AddressInfo, type ListenOptions, Server } from 'node:net';

/** The server that a call of `listeningOnLoopback` opened. */
interface Opened {
  server?: Server;
}

const opening = new AsyncLocalStorage<Opened>();

const LOOPBACK = '127.0.0.1';

/**
 * Runs `start`, and makes the server that it opens listen on the loopback address, regardless of the address it
 * asks for. Fauxqs needs this: it has 0.0.0.0 built in (its `host` is only part of the queues' URLs), and exports
 * nothing to change that. While `start` runs, `Server.prototype.listen` is replaced. The asynchronous context
 * identifies the caller, so servers that other code opens at that time are left alone.
 * @throws Error if no server was redirected, because the library now starts its server differently.
 */
export async function listeningOnLoopback<Started extends { stop(): Promise<unknown> }>(
  start: () => Promise<Started>,
): Promise<Started> {
  const opened: Opened = {};
  const restore = directListening();
  try {
    const started = await opening.run(opened, start);
    const address = opened.server?.address() as AddressInfo | null | undefined;
    if (address?.address === LOOPBACK) return started;
    await started.stop();
    throw new Error(`A server that belongs on loopback does not listen there: ${address?.address}`);
  } finally {
    restore();
  }
}

function directListening(): () => void {
  const { prototype } = Server;
  const original = Object.getOwnPropertyDescriptor(prototype, 'listen');
  const listen = original?.value as (this: Server, ...parameters: unknown[]) => Server;
  prototype.listen = function (this: Server, ...parameters: unknown[]) {
    const opened = opening.getStore();
    const [options, ...others] = parameters;
    if (opened === undefined || !isListenOptions(options)) return listen.apply(this, parameters);
    opened.server = this;
    return listen.call(this, { ...options, host: LOOPBACK }, ...others);
  };
  return () => {
    if (original !== undefined) Object.defineProperty(prototype, 'listen', original);
  };
}

function isListenOptions(value: unknown): value is ListenOptions {
  return typeof value === 'object' && value !== null && 'host' in value;
}
