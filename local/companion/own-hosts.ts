import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { ProblemError } from './http.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** The address a server listens on, and the URLs under which others know it. */
interface Address {
  readonly host: string;
  readonly port: number;
  readonly urls: readonly string[];
}

/**
 * Creates the check that a request is meant for this server. A web page may point its own host name at this
 * machine (DNS rebinding) and could then read all answers here. But its requests carry its own name as `Host`. A
 * request by an IP address comes from no such page; it is answered if the server listens on every address.
 * @returns a function that answers a problem, 421 `WRONG_HOST`, if a request names another host or port.
 */
export function ownHostCheck({
  host,
  port,
  urls,
}: Address): (request: IncomingMessage) => ProblemError | undefined {
  const own = new Set(
    [...LOOPBACK, bracketed(host)]
      .map((name) => `http://${name}:${String(port)}`)
      .concat(urls)
      .map((url) => URL.parse(url)?.host),
  );
  const isAnyAddress = host === '0.0.0.0' || host === '::';
  return ({ headers }) => {
    const asked = URL.parse(`http://${headers.host ?? ''}`);
    if (asked !== null && own.has(asked.host)) return undefined;
    if (asked !== null && isAnyAddress && isAddressOf(asked, port)) return undefined;
    return new ProblemError(
      421,
      'WRONG_HOST',
      `This is not ${headers.host ?? 'a server without a name'}. Use http://localhost:${String(port)}.`,
    );
  };
}

function isAddressOf({ hostname, port }: URL, own: number): boolean {
  const isAddress = isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0;
  return isAddress && Number(port === '' ? 80 : port) === own;
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}
