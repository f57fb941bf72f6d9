import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { createProduct } from '../../lib/inventory/create-product.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';
import { expectDocumented } from './documented.ts';
import { inTurn, isDeployed } from './target.ts';
import type { TestStack } from './test-stack.ts';

interface Money {
  readonly amount: number;
  readonly currency: string;
}

interface Change {
  readonly from: string | null;
  readonly to: string;
  readonly reason: string;
  readonly at: string;
}

export interface OrderDocument {
  readonly orderId: string;
  readonly status: string;
  readonly reason: string | null;
  readonly version: number;
  readonly items: readonly {
    readonly productId: string;
    readonly quantity: number;
    readonly unitPrice: Money | null;
  }[];
  readonly total: Money | null;
  readonly reservationExpiresAt: string | null;
  readonly paymentUrl: string | null;
  readonly paymentId: string | null;
  readonly modification: { readonly status: string; readonly code: string | null } | null;
  readonly waiting?: {
    readonly for: string;
    readonly since: string;
    readonly retryAfterSeconds: number;
  } | null;
  readonly refunds: readonly { readonly paymentId: string; readonly amount: Money }[];
  readonly history: readonly (Change & { readonly by: string })[];
  readonly links: Readonly<Record<string, unknown>>;
}

export interface PaymentDocument {
  readonly paymentId: string;
  readonly orderId: string;
  readonly attempt: number;
  readonly amount: Money;
  readonly status: string;
  readonly code: string | null;
  readonly history: readonly Change[];
}

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly orderId?: string;
  readonly paymentId?: string;
  readonly orderStatus?: string;
  readonly reason?: string | null;
}

export interface Stock {
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
  readonly received: number;
}

export interface Charge {
  readonly chargeId: string;
  readonly paymentId: string;
  readonly amount: Money;
  readonly status: string;
}

/** One complete response of the API. */
export class Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;

  constructor(status: number, headers: Headers, text: string) {
    this.status = status;
    this.headers = headers;
    this.text = text;
  }

  get order(): OrderDocument {
    return this.#document('application/json') as OrderDocument;
  }

  get payment(): PaymentDocument {
    return this.#document('application/json') as PaymentDocument;
  }

  get problem(): ProblemDocument {
    return this.#document('application/problem+json') as ProblemDocument;
  }

  get json(): unknown {
    return JSON.parse(this.text) as unknown;
  }

  /** Status and code (or the document's status) in one text. */
  get summary(): string {
    const { code, status } = this.json as { code?: string | null; status?: string | number };
    const isProblem = this.headers.get('content-type')?.startsWith('application/problem') === true;
    return `${String(this.status)} ${String(isProblem ? code : status)}`;
  }

  #document(contentType: string): unknown {
    expect(this.headers.get('content-type'), this.text).toMatch(contentType);
    return this.json;
  }
}

export interface CallOptions {
  readonly key?: string | undefined;
  /** Seconds of `Prefer: wait`; undefined for none. */
  readonly wait?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export type Items = readonly { readonly productId: string; readonly quantity: number }[];

/** Calls the API as any caller, with any body; the response must be documented. */
export async function call(
  stack: TestStack,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<Answer> {
  const answer = await inTurn(async () => {
    const response = await fetch(`${stack.apiUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return answerOf(stack, response);
  });
  expectDocumented(method, path, answer);
  return answer;
}

/** Suffix that marks this file's users and products, because test files may share a stack. */
const OWN = randomUUID().slice(0, 8);

/** Tells if a record names a user or a product of this file. */
export function isOwn(record: object): boolean {
  return JSON.stringify(record).includes(OWN);
}

/**
 * The response as if the API were at the root. On a deployed stack, links start with the address that
 * deploy:local prints. A link that leads elsewhere stays unchanged, so the test fails.
 */
async function answerOf(stack: TestStack, response: Response): Promise<Answer> {
  const text = await response.text();
  if (!isDeployed) return new Answer(response.status, response.headers, text);
  const base = `${new URL(stack.apiUrl).pathname}/`;
  const headers = new Headers(response.headers);
  const location = headers.get('location');
  if (location?.startsWith(base) === true) {
    headers.set('location', `/${location.slice(base.length)}`);
  }
  return new Answer(response.status, headers, text.replaceAll(`"${base}`, '"/'));
}

let customers = 0;

/** One user of the shop, with a token. */
export class Customer {
  readonly userId: string;
  readonly token: string;
  readonly #stack: TestStack;

  private constructor(stack: TestStack, userId: string, token: string) {
    this.#stack = stack;
    this.userId = userId;
    this.token = token;
  }

  static async of(stack: TestStack, scope?: string): Promise<Customer> {
    customers += 1;
    const userId = `user-${OWN}-${String(customers)}`;
    return new Customer(stack, userId, await stack.mintToken(userId, scope));
  }

  async withFreshToken(): Promise<Customer> {
    return new Customer(this.#stack, this.userId, await this.#stack.mintToken(this.userId));
  }

  call(
    method: string,
    path: string,
    body?: unknown,
    { key, wait, headers }: CallOptions = {},
  ): Promise<Answer> {
    const all = {
      authorization: `Bearer ${this.token}`,
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(wait === undefined ? {} : { prefer: `wait=${String(wait)}` }),
      ...headers,
    };
    return call(this.#stack, method, path, all, body);
  }

  place(items: Items, options: CallOptions = {}): Promise<Answer> {
    return this.call('POST', '/order', { items }, options);
  }

  pay(orderId: string, token: string, options: CallOptions = {}): Promise<Answer> {
    return this.call('POST', '/payment', { orderId, paymentMethod: { token } }, options);
  }

  modify(orderId: string, items: Items, options: CallOptions = {}): Promise<Answer> {
    return this.call('PUT', `/order/${orderId}`, { items }, options);
  }

  cancel(orderId: string, options: CallOptions = {}): Promise<Answer> {
    return this.call('POST', `/order/cancelorder/${orderId}`, undefined, options);
  }

  retryOrder(orderId: string, options: CallOptions = {}): Promise<Answer> {
    return this.call('POST', `/order/retryorder/${orderId}`, undefined, options);
  }

  retryPayment(orderId: string, token: string, options: CallOptions = {}): Promise<Answer> {
    return this.call('POST', '/retrypayment', { orderId, paymentMethod: { token } }, options);
  }

  async order(orderId: string): Promise<OrderDocument> {
    return (await this.call('GET', `/order/${orderId}`)).order;
  }

  async payment(paymentId: string): Promise<PaymentDocument> {
    return (await this.call('GET', `/payment/${paymentId}`)).payment;
  }

  /** Places an order and waits until its stock is reserved. */
  async reserved(
    productId: string,
    quantity = 1,
    options: CallOptions = {},
  ): Promise<OrderDocument> {
    const answer = await this.place([{ productId, quantity }], { wait: 10, ...options });
    expect(answer.summary, answer.text).toBe('201 PENDING_PAYMENT');
    return answer.order;
  }

  /** @throws unless the order has (one of) these statuses now. */
  async expectStatus(orderId: string, ...statuses: readonly string[]): Promise<OrderDocument> {
    const order = await this.order(orderId);
    expect(statuses, JSON.stringify(order.history)).toContain(order.status);
    return order;
  }
}

const managers = new WeakMap<TestStack, Promise<string>>();

async function callAsManager(
  stack: TestStack,
  method: string,
  productId: string,
  body?: unknown,
): Promise<Answer> {
  let token = managers.get(stack);
  if (token === undefined) {
    token = stack.mintToken('manager', 'products:write');
    managers.set(stack, token);
  }
  const headers = { authorization: `Bearer ${await token}` };
  const answer = await call(stack, method, `/product/${productId}`, headers, body);
  expect(answer.status, answer.text).toBe(200);
  return answer;
}

/** Changes a product as its manager, by `PUT /product/{id}`. */
export async function changeProduct(
  stack: TestStack,
  productId: string,
  changes: { readonly unitPrice?: Money; readonly active?: boolean },
): Promise<void> {
  await callAsManager(stack, 'PUT', productId, changes);
}

/** A product's counters, as its manager sees them. */
export async function stockOf(stack: TestStack, productId: string): Promise<Stock> {
  const answer = await callAsManager(stack, 'GET', productId);
  const { available, reserved, sold, received } = answer.json as Stock;
  return { available, reserved, sold, received };
}

/** The counters as the specification writes them: available/reserved/sold. */
export async function stockLine(stack: TestStack, productId: string): Promise<string> {
  const { available, reserved, sold } = await stockOf(stack, productId);
  return [available, reserved, sold].map(String).join('/');
}

/** The gateway's charges for an order, oldest first. */
export async function chargesOf(stack: TestStack, orderId: string): Promise<Charge[]> {
  const response = await fetch(`${stack.companionUrl}/gateway/charges?orderId=${orderId}`);
  return ((await response.json()) as { charges: Charge[] }).charges;
}

let products = 0;

/** Creates a product at 1000 cents for one test; returns its id. */
export async function newProduct(
  stock: number,
  { currency = 'EUR', active = true } = {},
): Promise<string> {
  products += 1;
  const productId = `prod-test-${OWN}-${String(products)}`;
  await createProduct(inventoryService(currentRuntime()), {
    userId: 'manager',
    product: {
      productId,
      name: 'Test',
      description: 'A product of one test.',
      unitPrice: { amount: 1000, currency },
      stock,
      active,
    },
  });
  return productId;
}

export interface ReservationDocument {
  readonly orderId: string;
  readonly status: string;
  readonly revision: number;
  readonly items: readonly { readonly productId: string; readonly quantity: number }[];
  readonly expiresAt: string | null;
  readonly remainingMs: number | null;
  readonly paymentId: string | null;
}

/** Asks the Inventory Service about an order's reservation, as the Order Service does. */
export function inventoryCall(
  stack: TestStack,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  return callInventory(stack, method, `/inventory/reservation/${path}`, {}, body);
}

/**
 * Calls the Inventory Service with the Order Service's credential and a signature that no emulator verifies.
 * @param headers take the place of these two.
 */
export function callInventory(
  stack: TestStack,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<Answer> {
  const { INVENTORY_URL = '', INVENTORY_CREDENTIAL = '' } = stack.environment;
  return inTurn(async () => {
    const response = await fetch(INVENTORY_URL + path, {
      method,
      headers: {
        'content-type': 'application/json',
        authorization: 'AWS4-HMAC-SHA256 Credential=test',
        'x-service-credential': INVENTORY_CREDENTIAL,
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return new Answer(response.status, response.headers, await response.text());
  });
}
