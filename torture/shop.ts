import type { HttpResponse } from '../lib/platform/http/http-client.ts';
import { Acknowledged } from './acknowledged.ts';
import type { World } from './world/world.ts';

/** Far more time than any call or any way to rest needs. */
export const LIMIT_MS = 12 * 60 * 60 * 1000;

/** Maximum number of tries of one request, all with its key. */
const TRIES = 4;

export interface Items {
  readonly productId: string;
  readonly quantity: number;
}

interface ShopOptions {
  readonly user: string;
  /** Prefix of all this user's keys. */
  readonly keys: string;
  readonly acknowledged: Acknowledged;
  /** The user whose effect is held while this one acts. */
  readonly rivalOf?: Shop;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly scope?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A lost answer and a 5xx leave the outcome unknown, so the client retries with the same key. */
const isSettled = ({ status }: HttpResponse) => status < 500 && status !== 409;

/** One user of the shop, who retries unanswered requests as a good client does. */
export class Shop {
  readonly world: World;
  readonly acknowledged: Acknowledged;
  readonly #user: string;
  readonly #keys: string;
  readonly #rivalOf: Shop | undefined;
  #requests = 0;
  #rivals = 0;
  #orderId = '';
  #longestRestMs = 0;

  constructor(world: World, options: Partial<ShopOptions> = {}) {
    const { user = 'alice', keys = user, acknowledged = new Acknowledged(), rivalOf } = options;
    this.world = world;
    this.acknowledged = acknowledged;
    this.#user = user;
    this.#keys = keys;
    this.#rivalOf = rivalOf;
  }

  /** This user's order: from a response, or else from the order list. */
  get orderId(): string {
    if (this.#orderId !== '') return this.#orderId;
    return this.#rivalOf?.orderId ?? this.world.snapshot().orders[0]?.orderId ?? 'unknown';
  }

  async place(
    items: readonly Items[],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HttpResponse> {
    const answer = await this.#ask({ method: 'POST', path: '/order', body: { items }, headers });
    const { orderId } = (answer.body ?? {}) as { readonly orderId?: string };
    if (orderId !== undefined) this.#orderId = orderId;
    return answer;
  }

  modify(items: readonly Items[]): Promise<HttpResponse> {
    return this.#ask({ method: 'PUT', path: `/order/${this.orderId}`, body: { items } });
  }

  cancel(): Promise<HttpResponse> {
    return this.#ask({ method: 'POST', path: `/order/cancelorder/${this.orderId}` });
  }

  retryOrder(): Promise<HttpResponse> {
    return this.#ask({ method: 'POST', path: `/order/retryorder/${this.orderId}` });
  }

  pay(token: string): Promise<HttpResponse> {
    return this.#ask({ method: 'POST', path: '/payment', body: this.#payment(token) });
  }

  retryPayment(token: string): Promise<HttpResponse> {
    return this.#ask({ method: 'POST', path: '/retrypayment', body: this.#payment(token) });
  }

  /** Calls as the shop's manager. */
  changeProduct(productId: string, body: Readonly<Record<string, unknown>>) {
    return this.#ask({ method: 'PUT', path: `/product/${productId}`, body, ...AS_MANAGER });
  }

  /** Calls as the shop's manager. */
  receiveStock(productId: string, quantity: number) {
    const path = `/product/${productId}/stock`;
    return this.#ask({ method: 'POST', path, body: { quantity }, ...AS_MANAGER });
  }

  /**
   * A user whose calls come in between, about the same order until they place their own. They do not retry,
   * because that would let time pass during the held effect.
   */
  rival(user = this.#user): Shop {
    this.#rivals += 1;
    const keys = `${this.#keys}-rival${String(this.#rivals)}-${user}`;
    const { world, acknowledged } = this;
    return new Shop(world, { user, keys, acknowledged, rivalOf: this });
  }

  /** Another user, with orders of their own. */
  customer(user: string): Shop {
    const { world, acknowledged } = this;
    return new Shop(world, { user, acknowledged });
  }

  /** The same user with a further order. */
  another(): Shop {
    const { world, acknowledged } = this;
    return new Shop(world, { user: this.#user, keys: `${this.#keys}-another`, acknowledged });
  }

  /**
   * Places all these orders at the same moment, without a retry. No time passes for them, so that other calls come in
   * between.
   * @returns settles when all are answered.
   */
  placeAtOnce(orders: readonly (readonly Items[])[]): Promise<unknown> {
    return Promise.all(
      orders.map((items) => this.#begin({ method: 'POST', path: '/order', body: { items } })()),
    );
  }

  /** Waits for the next change of the order, in so many calls at the same moment; see `placeAtOnce`. */
  waitForChange(calls: number): Promise<unknown> {
    const headers = { prefer: 'wait=10', 'if-none-match': '*' };
    const waiting = { method: 'GET', path: `/order/${this.orderId}`, headers };
    return Promise.all(Array.from({ length: calls }, () => this.#begin(waiting)()));
  }

  /** Lets time pass until nothing moves by itself. */
  async rest(): Promise<void> {
    this.#longestRestMs = Math.max(this.#longestRestMs, await this.world.runToRest(LIMIT_MS));
  }

  /** World time: the longest that any act took to come to rest. */
  get longestRestMs(): number {
    return this.#longestRestMs;
  }

  #payment(token: string) {
    return { orderId: this.orderId, paymentMethod: { token } };
  }

  /** @returns sends the request, each time with the same key, and takes note of the answer. */
  #begin(request: Request): () => Promise<HttpResponse> {
    this.#requests += 1;
    const headers = {
      'idempotency-key': `${this.#keys}-${String(this.#requests)}`,
      ...request.headers,
    };
    const asked = { user: this.#user, ...request };
    this.acknowledged.asked(asked);
    return async () => {
      const answer = await this.world.call({ ...request, user: this.#user, headers });
      this.acknowledged.answered(asked, answer);
      return answer;
    };
  }

  async #ask(request: Request): Promise<HttpResponse> {
    const isRival = this.#rivalOf !== undefined;
    if (isRival && this.world.caller() === undefined) {
      throw new Error('No effect is held, so time would not pass for a rival; use another().');
    }
    const send = this.#begin(request);
    for (let tries = 1; ; tries += 1) {
      const answer = await (isRival ? send() : this.world.until(send(), LIMIT_MS));
      if (isRival || isSettled(answer) || tries === TRIES) return answer;
      await this.rest();
    }
  }
}

const AS_MANAGER = { scope: 'products:write' } as const;
