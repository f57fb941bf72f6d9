import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent, request as sendRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { urlToHttpOptions } from 'node:url';

/** An answer in one piece: they are small, and a cut in its place has to come after all of it. */
export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Buffer;
}

/** Of a connection, not of the message on it (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Sends requests on to one place, and changes nothing about them or their answers. */
export class Forwarder {
  readonly #target: URL;
  // A connection for each request: the other side could close a kept one just as it is used, which
  // would be a fault that nobody asked for.
  readonly #agent = new Agent({ keepAlive: false });

  /** @param targetUrl of `http`; its path, if any, goes before those that are forwarded. */
  constructor(targetUrl: string) {
    this.#target = new URL(targetUrl);
  }

  /**
   * Does not stop when the caller leaves: what was sent over a network cannot be taken back either.
   * @param pathAndQuery begins with a slash.
   * @returns undefined when no whole answer came.
   */
  async forward(
    request: IncomingMessage,
    pathAndQuery: string,
    body: Buffer,
  ): Promise<Answer | undefined> {
    const { host: _ofThisServer, ...headers } = endToEnd(request);
    const forwarded = sendRequest({
      ...urlToHttpOptions(this.#target),
      path: this.#target.pathname.replace(/\/$/, '') + pathAndQuery,
      method: request.method,
      // Of what came in chunks, nobody has said the length yet.
      headers: body.length === 0 ? headers : { ...headers, 'content-length': body.length },
      agent: this.#agent,
    });
    // Whoever waits is told by what it waits for; only a listener keeps the process from ending.
    forwarded.on('error', () => undefined);
    forwarded.end(body);
    try {
      const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
      const content = await buffer(answer);
      return { status: answer.statusCode ?? 502, headers: endToEnd(answer), body: content };
    } catch {
      return undefined;
    }
  }

  /** Ends every connection, answered or not. */
  stop(): void {
    this.#agent.destroy();
  }
}

function endToEnd({ headersDistinct }: IncomingMessage): OutgoingHttpHeaders {
  const named = (headersDistinct['connection'] ?? []).flatMap((names) =>
    names.split(',').map((name) => name.trim().toLowerCase()),
  );
  return Object.fromEntries(
    Object.entries(headersDistinct).filter(
      ([name]) => !HOP_BY_HOP.includes(name) && !named.includes(name),
    ),
  );
}
