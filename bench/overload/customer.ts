import { randomUUID } from 'node:crypto';
import type { EmbeddedStack } from '../../local/stack/embedded-stack.ts';

/** An answer of the API, with what a bench reads of it. */
interface Answer {
  readonly status: number;
  /** Of a problem; empty without one. */
  readonly code: string;
  readonly orderId: string;
  /** Of an order. */
  readonly orderStatus: string;
}

/** One user of a stack's API. */
export class Customer {
  readonly #apiUrl: string;
  readonly #token: string;

  private constructor(apiUrl: string, token: string) {
    this.#apiUrl = apiUrl;
    this.#token = token;
  }

  /** @param scope of the token; default: none. */
  static async of(stack: EmbeddedStack, scope?: string): Promise<Customer> {
    return new Customer(stack.apiUrl, await stack.mintToken(randomUUID(), scope));
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await fetch(this.#apiUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/json',
        ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const document = (await response.json()) as Readonly<Record<string, string | undefined>>;
    return {
      status: response.status,
      code: document['code'] ?? '',
      orderId: document['orderId'] ?? '',
      orderStatus: document['status'] ?? '',
    };
  }

  place(productId: string, quantity: number, headers: Readonly<Record<string, string>> = {}) {
    return this.call('POST', '/order', { items: [{ productId, quantity }] }, headers);
  }

  change(orderId: string, productId: string) {
    return this.call('PUT', `/order/${orderId}`, { items: [{ productId, quantity: 1 }] });
  }

  pay(orderId: string, token: string, headers: Readonly<Record<string, string>> = {}) {
    return this.call('POST', '/payment', { orderId, paymentMethod: { token } }, headers);
  }

  async statusOf(orderId: string): Promise<string> {
    return (await this.call('GET', `/order/${orderId}`)).orderStatus;
  }
}

/** @returns its id. */
export async function newProduct(stack: EmbeddedStack, stock: number): Promise<string> {
  const productId = randomUUID();
  const keeper = await Customer.of(stack, 'products:write');
  const unitPrice = { amount: 1000, currency: 'EUR' };
  const product = { productId, name: productId, description: '', unitPrice, stock };
  const { status, code } = await keeper.call('POST', '/product', product);
  if (status !== 201) throw new Error(`The product was answered ${String(status)} ${code}.`);
  return productId;
}
