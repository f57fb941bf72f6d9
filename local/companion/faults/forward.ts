import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent, request as sendRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { urlToHttpOptions } from 'node:url';

/** A complete answer. Answers are small, and the proxy can cut one only after all of it has arrived. */
export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Buffer;
}

/** A server, and the name by which it knows what the requests are for. */
export interface Target {
  /** Of `http`; its path, if any, is the prefix of all forwarded paths. */
  readonly url: string;
  /** Value of the header `Host`; default: the URL's own. */
  readonly host?: string;
}

/** Headers of a connection, not of the message on it (RFC 9110, section 7.6.1). */
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

/** Forwards requests to one server, and changes neither the requests nor their answers. */
export class Forwarder {
  readonly #url: URL;
  readonly #host: string;
  // Opens a connection for each request. The other side could close a kept one at the moment of its next use, which
  // would be a fault that nobody asked for.
  readonly #agent = new Agent({ keepAlive: false });

  constructor({ url, host }: Target) {
    this.#url = new URL(url);
    this.#host = host ?? this.#url.host;
  }

  /**
   * Forwards a request. It goes on if the caller leaves: a request on a network cannot be taken back either.
   * @param pathAndQuery begins with a slash.
   * @returns undefined if no complete answer came.
   */
  async forward(
    request: IncomingMessage,
    pathAndQuery: string,
    body: Buffer,
  ): Promise<Answer | undefined> {
    const headers = { ...endToEnd(request), host: this.#host };
    const forwarded = sendRequest({
      ...urlToHttpOptions(this.#url),
      path: this.#url.pathname.replace(/\/$/, '') + pathAndQuery,
      method: request.method,
      // A chunked request does not state its length.
      headers: body.length === 0 ? headers : { ...headers, 'content-length': body.length },
      agent: this.#agent,
    });
    // Rejecting `once` tells the caller. This listener only keeps the error from ending the process.
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
