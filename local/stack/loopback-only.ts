import { AsyncLocalStorage } from 'node:async_hooks';
import { type AddressInfo, type ListenOptions, Server } from 'node:net';

/** The server that a call of `listeningOnLoopback` has opened. */
interface Opened {
  server?: Server;
}

const opening = new AsyncLocalStorage<Opened>();

const LOOPBACK = '127.0.0.1';

/**
 * Runs `start`, and has the server that it opens listen on loopback, whatever address it asks for.
 * For fauxqs, which has 0.0.0.0 built in (its `host` names the queues' URLs only) and exports
 * nothing that would let its app listen elsewhere. `Server.prototype.listen` is replaced while
 * `start` runs; a server that is opened at that time by anything else is left alone, because the
 * asynchronous context tells whose call it is.
 * @throws Error where nothing was directed to loopback: the library starts its server differently now.
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
