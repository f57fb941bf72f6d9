import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../lib/platform/clock.ts';
import type { Companion, CompanionOptions } from '../../../local/companion/server.ts';
import { startCompanion } from '../../../local/companion/server.ts';

/** 2026-03-01T12:00:00Z, in whole seconds, so that token times are exact. */
export const NOW_SECONDS = 1_772_366_400;

const fixedClock: Clock = {
  now: () => NOW_SECONDS * 1000,
  schedule: () => () => undefined,
};

export const AUDIENCE = 'ordersaga-api';

/** A companion on a free port. */
export function startTestCompanion(options: Partial<CompanionOptions> = {}): Promise<Companion> {
  return startCompanion({
    host: '127.0.0.1',
    port: 0,
    clock: fixedClock,
    audience: AUDIENCE,
    // Nothing listens here, because most tests have no Inventory.
    inventory: { url: 'http://127.0.0.1:9' },
    apiUrl: 'http://127.0.0.1:9',
    ...options,
  });
}

export interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Sends and reads JSON; rejects if the connection is cut. */
export async function send(
  url: string,
  { method = 'GET', headers = {}, body }: RequestOptions = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    headers: response.headers,
    body: await response.json(),
  };
}

interface RequestOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** A string is sent unchanged. */
  readonly body?: unknown;
}

/** A payment of a new order, which a test can charge, query, void and refund. */
export class TestPayment {
  readonly paymentId = `pay-${randomUUID()}`;
  readonly orderId: string;
  readonly amount = { amount: 1299, currency: 'EUR' };
  readonly #gateway: string;

  constructor(companion: Companion, orderId = `order-${randomUUID()}`) {
    this.#gateway = `${companion.url}/gateway/charges`;
    this.orderId = orderId;
  }

  charge(token: string, overrides: Record<string, unknown> = {}): Promise<Answer> {
    return send(this.#gateway, {
      method: 'POST',
      headers: { 'idempotency-key': this.paymentId },
      body: {
        orderId: this.orderId,
        amount: this.amount,
        paymentMethod: { token },
        ...overrides,
      },
    });
  }

  query(): Promise<Answer> {
    return send(`${this.#gateway}/${this.paymentId}`);
  }

  void(body?: unknown): Promise<Answer> {
    return send(`${this.#gateway}/${this.paymentId}/void`, { method: 'POST', body });
  }

  refund(): Promise<Answer> {
    return send(`${this.#gateway}/${this.paymentId}/refund`, { method: 'POST' });
  }

  listOrder(): Promise<Answer> {
    return send(`${this.#gateway}?orderId=${this.orderId}`);
  }
}
