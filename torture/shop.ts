import type { HttpResponse } from '../lib/platform/http-client.ts';
import type { World } from './world/world.ts';

/** A call answers, or the world comes to rest, long before this. */
export const LIMIT_MS = 12 * 60 * 60 * 1000;

/** A user sends a request again, with its key, so often at most. */
const TRIES = 4;

export interface Items {
  readonly productId: string;
  readonly quantity: number;
}

/** Lost answers and 5xx say nothing; the same request with the same key does no harm. */
const isSettled = ({ status }: HttpResponse) => status < 500 && status !== 409;

/** One user of the shop, who repeats what was not answered as any good client does. */
export class Shop {
  readonly world: World;
  /** Orders that a 2xx has named: they must be there. */
  readonly acknowledged = new Set<string>();
  readonly #user: string;
  #requests = 0;
  #orderId = '';
  #isInTheMiddle = false;
  #longestRestMs = 0;

  constructor(world: World, user = 'alice') {
    this.world = world;
    this.#user = user;
  }

  /** The one order of this user: of an answer, or where there was none yet, of the order list. */
  get orderId(): string {
    return this.#orderId === ''
      ? (this.world.snapshot().orders[0]?.orderId ?? 'unknown')
      : this.#orderId;
  }

  async place(items: readonly Items[]): Promise<HttpResponse> {
    const answer = await this.#ask('POST', '/order', { items });
    const { orderId } = (answer.body ?? {}) as { readonly orderId?: string };
    if (orderId !== undefined) this.#orderId = orderId;
    return answer;
  }

  modify(items: readonly Items[]): Promise<HttpResponse> {
    return this.#ask('PUT', `/order/${this.orderId}`, { items });
  }

  cancel(): Promise<HttpResponse> {
    return this.#ask('POST', `/order/cancelorder/${this.orderId}`);
  }

  retryOrder(): Promise<HttpResponse> {
    return this.#ask('POST', `/order/retryorder/${this.orderId}`);
  }

  pay(token: string): Promise<HttpResponse> {
    return this.#ask('POST', '/payment', this.#payment(token));
  }

  retryPayment(token: string): Promise<HttpResponse> {
    return this.#ask('POST', '/retrypayment', this.#payment(token));
  }

  /** As its manager. */
  changeProduct(productId: string, changes: Readonly<Record<string, unknown>>) {
    return this.#ask('PUT', `/product/${productId}`, changes, 'products:write');
  }

  /** What the user does while something else is held in the middle: time cannot go on for it. */
  async inTheMiddle(act: () => Promise<unknown>): Promise<void> {
    this.#isInTheMiddle = true;
    await act();
    this.#isInTheMiddle = false;
  }

  /** Until nothing moves any more by itself. */
  async rest(): Promise<void> {
    this.#longestRestMs = Math.max(this.#longestRestMs, await this.world.runToRest(LIMIT_MS));
  }

  /** On the world's clock: the longest that anything took to come to rest. */
  get longestRestMs(): number {
    return this.#longestRestMs;
  }

  #payment(token: string) {
    return { orderId: this.orderId, paymentMethod: { token } };
  }

  async #ask(method: string, path: string, body?: unknown, scope?: string): Promise<HttpResponse> {
    this.#requests += 1;
    const key = `${this.#user}-${String(this.#requests)}`;
    for (let tries = 1; ; tries += 1) {
      const call = this.world.call({
        method,
        path,
        user: this.#user,
        headers: { 'idempotency-key': key },
        ...(scope === undefined ? {} : { scope }),
        ...(body === undefined ? {} : { body }),
      });
      const answer = await (this.#isInTheMiddle ? call : this.world.until(call, LIMIT_MS));
      const { orderId } = (answer.body ?? {}) as { readonly orderId?: string };
      if (answer.status < 300 && orderId !== undefined) this.acknowledged.add(orderId);
      if (isSettled(answer) || this.#isInTheMiddle || tries === TRIES) return answer;
      await this.rest();
    }
  }
}
