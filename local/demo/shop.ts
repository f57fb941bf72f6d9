import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/** Longer than any call with `Prefer: wait=10` takes. */
const ANSWER_TIMEOUT_MS = 20_000;
const WAIT_SECONDS = 10;
const SETTLING_MS = 10_000;
const PAUSE_MS = 50;

const money = z.object({ amount: z.int(), currency: z.string() });

const productAnswer = z.object({
  productId: z.string(),
  name: z.string(),
  unitPrice: money,
  available: z.int(),
  reserved: z.int(),
  sold: z.int(),
  received: z.int(),
});

const productsAnswer = z.object({ products: z.array(productAnswer) });

const orderAnswer = z.object({
  orderId: z.string(),
  status: z.string(),
  reason: z.string().nullable(),
  total: money.nullable(),
  history: z.array(z.object({ to: z.string(), at: z.iso.datetime() })),
});

const paymentAnswer = z.object({ status: z.string() });
const chargesAnswer = z.object({
  charges: z.array(z.object({ amount: money, status: z.string() })),
});
const tokenAnswer = z.object({ token: z.string() });

/** Fits both an order and a problem: both name the order, and only the problem has a code. */
const placingAnswer = z.object({ orderId: z.string(), code: z.string().nullish() });
const payingAnswer = z.object({ paymentId: z.string().optional(), code: z.string().nullish() });
const problemAnswer = z.object({ code: z.string(), detail: z.string() });

export type Product = z.infer<typeof productAnswer>;
export type Order = z.infer<typeof orderAnswer>;
export type Charge = z.infer<typeof chargesAnswer>['charges'][number];

/** A line of an order as its customer sends it. */
export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** Short form of an answer: `201`, or `422 OUT_OF_STOCK`. */
export interface Placing {
  readonly answer: string;
  readonly orderId: string;
}

export interface Paying {
  readonly answer: string;
  /** Absent if the payment was refused outright. */
  readonly paymentId: string | undefined;
}

interface Call {
  readonly method?: 'GET' | 'POST';
  readonly customer?: string;
  readonly body?: unknown;
  readonly waitSeconds?: number;
}

interface Answer {
  readonly call: string;
  readonly status: number;
  readonly body: unknown;
}

/** HTTP client of the shop's customers and its keeper. It knows two URLs and nothing behind them. */
export class Shop {
  readonly #apiUrl: string;
  readonly #companionUrl: string;
  readonly #stopping: AbortSignal;
  readonly #tokens = new Map<string, Promise<string>>();

  constructor(apiUrl: string, companionUrl: string, stopping: AbortSignal) {
    this.#apiUrl = apiUrl;
    this.#companionUrl = companionUrl;
    this.#stopping = stopping;
  }

  /** Places an order and waits until its stock is reserved or refused. */
  async placeOrder(customer: string, items: readonly Line[]): Promise<Placing> {
    const answer = await this.#call('/order', {
      method: 'POST',
      customer,
      body: { items },
      waitSeconds: WAIT_SECONDS,
    });
    const { orderId, code } = read(placingAnswer, answer);
    return { answer: inShort(answer.status, code), orderId };
  }

  async order(customer: string, orderId: string): Promise<Order> {
    return read(orderAnswer, await this.#call(`/order/${orderId}`, { customer }));
  }

  /** Pays an order and, by default, waits until the payment settles. */
  async pay(
    customer: string,
    orderId: string,
    token: string,
    waitSeconds = WAIT_SECONDS,
  ): Promise<Paying> {
    const answer = await this.#call('/payment', {
      method: 'POST',
      customer,
      body: { orderId, paymentMethod: { token } },
      waitSeconds,
    });
    const { paymentId, code } = read(payingAnswer, answer);
    return { answer: inShort(answer.status, code), paymentId };
  }

  async paymentStatus(customer: string, paymentId: string): Promise<string> {
    return read(paymentAnswer, await this.#call(`/payment/${paymentId}`, { customer })).status;
  }

  /** Reads a product with its counters, as the keeper. */
  async product(productId: string): Promise<Product> {
    return read(productAnswer, await this.#call(`/product/${productId}`, { customer: KEEPER }));
  }

  async products(): Promise<readonly Product[]> {
    return read(productsAnswer, await this.#call('/product', { customer: KEEPER })).products;
  }

  /** Charges that the gateway has made for an order, oldest first. */
  async charges(orderId: string): Promise<readonly Charge[]> {
    const url = `${this.#companionUrl}/gateway/charges?orderId=${encodeURIComponent(orderId)}`;
    return read(chargesAnswer, await this.#send(url, 'GET', {})).charges;
  }

  /**
   * Polls until the value is as expected, or ten seconds are over.
   * @returns the value seen last.
   */
  async eventually<Value>(
    look: () => Promise<Value>,
    isAsHoped: (value: Value) => boolean,
  ): Promise<Value> {
    const untilMs = performance.now() + SETTLING_MS;
    let value = await look();
    while (!isAsHoped(value) && performance.now() < untilMs) {
      await sleep(PAUSE_MS, undefined, { signal: this.#stopping });
      value = await look();
    }
    return value;
  }

  async #call(path: string, call: Call): Promise<Answer> {
    const { method = 'GET', customer, body, waitSeconds = 0 } = call;
    const headers = {
      ...(customer === undefined
        ? {}
        : { authorization: `Bearer ${await this.#tokenOf(customer)}` }),
      ...(method === 'GET' ? {} : { 'idempotency-key': randomUUID() }),
      ...(waitSeconds === 0 ? {} : { prefer: `wait=${String(waitSeconds)}` }),
    };
    return this.#send(`${this.#apiUrl}${path}`, method, headers, body);
  }

  #tokenOf(customer: string): Promise<string> {
    const known = this.#tokens.get(customer);
    if (known !== undefined) return known;
    const requested = this.#requestToken(customer);
    this.#tokens.set(customer, requested);
    return requested;
  }

  async #requestToken(customer: string): Promise<string> {
    const answer = await this.#send(
      `${this.#companionUrl}/issuer/token`,
      'POST',
      {},
      {
        subject: customer,
        ...(customer === KEEPER ? { scope: 'products:write' } : {}),
      },
    );
    return read(tokenAnswer, answer).token;
  }

  async #send(
    url: string,
    method: string,
    headers: Readonly<Record<string, string>>,
    body?: unknown,
  ): Promise<Answer> {
    const response = await fetch(url, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.#stopping, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    return {
      call: `${method} ${new URL(url).pathname}`,
      status: response.status,
      body: await response.json().catch(() => undefined),
    };
  }
}

const KEEPER = 'keeper';

function inShort(status: number, code: string | null | undefined): string {
  return code === undefined || code === null ? String(status) : `${String(status)} ${code}`;
}

function read<Schema extends z.ZodType>(schema: Schema, answer: Answer): z.output<Schema> {
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const problem = problemAnswer.safeParse(answer.body);
  const what = problem.success
    ? `${inShort(answer.status, problem.data.code)}: ${problem.data.detail}`
    : `${String(answer.status)} with something else`;
  throw new Error(`${answer.call} answered ${what}`);
}
