import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { assertNever } from '../../../lib/platform/errors.ts';
import { problem } from '../../../lib/platform/http/problems.ts';
import { type Behaviour, FAULT_MODES } from './fault-modes.ts';
import { type Answer, Forwarder, type Target } from './forward.ts';
import type { InventoryFaults } from './inventory-faults.ts';

/** Path of the Order Service's INVENTORY_URL. The proxy forwards every request under it. */
export const INVENTORY_PROXY_PATH = '/proxy/inventory';

/**
 * Proxy between orders and inventory. Without a fault it is transparent: if Inventory does not answer, the caller
 * gets no answer either.
 */
export class InventoryProxy {
  readonly #forwarder: Forwarder;
  readonly #faults: InventoryFaults;

  constructor(inventory: Target, faults: InventoryFaults) {
    this.#forwarder = new Forwarder(inventory);
    this.#faults = faults;
  }

  /** True if the proxy is to forward this request. */
  isFor({ url }: IncomingMessage): boolean {
    return url?.startsWith(`${INVENTORY_PROXY_PATH}/`) === true;
  }

  /** Forwards the request, unless a fault hits it. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request).catch(() => undefined);
    const callerLeft = body === undefined;
    if (callerLeft) return;
    const pathAndQuery = request.url?.slice(INVENTORY_PROXY_PATH.length) ?? '/';
    const mode = this.#faults.strike();
    if (mode === undefined) {
      answerOrCut(response, await this.#forwarder.forward(request, pathAndQuery, body));
      return;
    }
    const behaviour: Behaviour = FAULT_MODES[mode].behaviour;
    switch (behaviour.does) {
      case 'HANG':
        // The connection stays open until the caller times out or the companion stops.
        return;
      case 'RESET':
        response.socket?.resetAndDestroy();
        return;
      case 'LOSE_ANSWER':
        await this.#forwarder.forward(request, pathAndQuery, body);
        answerOrCut(response, undefined);
        return;
      case 'FAIL':
        answerOrCut(response, failure(behaviour));
        return;
      case 'REFUSE':
        answerOrCut(response, refusal(behaviour, pathAndQuery));
        return;
      default:
        assertNever(behaviour);
    }
  }

  /** Aborts the requests that are being forwarded. */
  stop(): void {
    this.#forwarder.stop();
  }
}

function failure({ status, retryAfterSeconds }: Extract<Behaviour, { does: 'FAIL' }>): Answer {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify({ message: STATUS_CODES[status] }),
  };
}

function refusal(
  { refusal, retryAfterSeconds }: Extract<Behaviour, { does: 'REFUSE' }>,
  pathAndQuery: string,
): Answer {
  const [path = '/'] = pathAndQuery.split('?');
  const document = problem(refusal, refusal.advice, path);
  return {
    status: document.status,
    headers: {
      'content-type': 'application/problem+json',
      'retry-after': String(retryAfterSeconds),
    },
    body: JSON.stringify(document),
  };
}

function answerOrCut(response: ServerResponse, answer: Answer | undefined): void {
  if (answer === undefined) response.destroy();
  else response.writeHead(answer.status, answer.headers).end(answer.body);
}
