import type { HttpRequest, HttpResponse } from '../../lib/platform/http/http-client.ts';
import {
  Acknowledgements,
  type Post,
  type Webhook,
} from '../../local/companion/gateway/acknowledgements.ts';
import type { Charge } from '../../local/companion/gateway/charges.ts';
import { createGatewayRoutes, createLedger } from '../../local/companion/gateway/routes.ts';
import { answer } from '../../local/companion/http.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface GatewayOptions {
  readonly clock: VirtualClock;
  readonly webhook: Webhook;
  readonly newId: () => string;
  readonly post: Post;
}

/** The companion's payment gateway simulator, called without the network. */
export class Gateway {
  readonly #ledger;
  readonly #routes;
  #scheduled = 0;

  constructor({ clock, webhook, newId, post }: GatewayOptions) {
    const counting = {
      now: () => clock.now(),
      schedule: (delayMs: number, callback: () => void) => {
        this.#scheduled += 1;
        return clock.schedule(delayMs, () => {
          this.#scheduled -= 1;
          callback();
        });
      },
    };
    const acknowledgements = new Acknowledgements(counting, webhook, { post, newId });
    this.#ledger = createLedger(acknowledgements, { newId });
    this.#routes = createGatewayRoutes(this.#ledger);
  }

  /** Number of acknowledgements still to come. */
  get scheduledAcknowledgements(): number {
    return this.#scheduled;
  }

  /** The charges of an order at the gateway, oldest first. */
  chargesOf(orderId: string): readonly Charge[] {
    return this.#ledger.listByOrder(orderId);
  }

  /** @throws TypeError, as `fetch` does, if the connection is cut. */
  async call({ method, url, headers = {}, body }: HttpRequest): Promise<HttpResponse> {
    const { pathname, search } = new URL(url);
    const answered = await answer(this.#routes, {
      method,
      url: pathname + search,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      content: body === undefined ? '' : JSON.stringify(body),
    });
    if (answered === 'CUT') throw new TypeError('fetch failed');
    const { status, headers: answeredHeaders, content } = answered;
    return {
      status,
      headers: new Headers(answeredHeaders as Record<string, string>),
      body: JSON.parse(content) as unknown,
    };
  }
}
