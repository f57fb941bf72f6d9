import { AsyncLocalStorage } from 'node:async_hooks';
import { HttpResponse } from '@smithy/core/protocols';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { OVER_THE_NETWORK } from '../../lib/platform/aws/aws-access.ts';
import type { JsonServer } from './json-server.ts';

type Request = Parameters<NodeHttpHandler['handle']>[0];
type Response = Awaited<ReturnType<NodeHttpHandler['handle']>>;

/**
 * Carries the SDK's requests. A server of this process answers without a socket, and outside the caller's async
 * context, as it answers other processes. All other requests go over the network.
 */
export class LocalRequests extends NodeHttpHandler {
  readonly #servers: ReadonlyMap<number | undefined, JsonServer>;
  readonly #detached = AsyncLocalStorage.snapshot();

  constructor(servers: readonly JsonServer[]) {
    super(OVER_THE_NETWORK);
    this.#servers = new Map(servers.map((server) => [server.port, server]));
  }

  override async handle(...sent: Parameters<NodeHttpHandler['handle']>): Promise<Response> {
    const [request] = sent;
    const server = this.#servers.get(request.port);
    if (server === undefined) return super.handle(...sent);
    const target = request.headers['x-amz-target'] ?? '';
    const answer = this.#detached(() => server.answer(target, textOf(request)));
    const { status, body } = await answer;
    const content = Buffer.from(JSON.stringify(body));
    return { response: new HttpResponse({ statusCode: status, body: content }) };
  }
}

const decoder = new TextDecoder();

function textOf({ body }: Request): string {
  return typeof body === 'string' ? body : decoder.decode(body as Uint8Array);
}
