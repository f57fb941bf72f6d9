import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { findJava, WITHOUT_JAVA } from '../support/java.ts';
import { KillableStack } from '../support/killable-stack.ts';

/** Real time, far less than any deadline of the dispatcher. */
const SOON_MS = 15_000;

interface Order {
  readonly orderId: string;
  readonly status: string;
}

async function until<Result>(look: () => Promise<Result>, isIt: (result: Result) => boolean) {
  const giveUpAt = performance.now() + SOON_MS;
  for (;;) {
    const result = await look();
    if (isIt(result) || performance.now() > giveUpAt) return result;
    await pause(50);
  }
}

/** One shopper; every start has a new issuer, and so new tokens. */
class Shopper {
  readonly #stack: KillableStack;
  #token = '';

  constructor(stack: KillableStack) {
    this.#stack = stack;
  }

  async signIn(): Promise<void> {
    const response = await fetch(`${this.#stack.companionUrl}/issuer/token`, {
      method: 'POST',
      body: JSON.stringify({ subject: 'alice' }),
    });
    this.#token = ((await response.json()) as { readonly token: string }).token;
  }

  order(quantity: number): Promise<Order> {
    const items = [{ productId: 'prod-coffee', quantity }];
    return this.#ask('POST', '/order', { items });
  }

  pay(orderId: string, token: string): Promise<Order> {
    return this.#ask('POST', '/payment', { orderId, paymentMethod: { token } });
  }

  /** The order as soon as it has the status, else its last state. */
  async reached(orderId: string, status: string): Promise<Order> {
    return until(
      () => this.#ask('GET', `/order/${orderId}`),
      (order) => order.status === status,
    );
  }

  async #ask(method: string, path: string, body?: unknown): Promise<Order> {
    const response = await fetch(this.#stack.apiUrl + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(response.status, await response.clone().text()).toBeLessThan(300);
    return (await response.json()) as Order;
  }
}

test('after a kill every order that was caught in the middle goes on at once', async ({ skip }) => {
  if ((await findJava()) === undefined) skip(WITHOUT_JAVA);
  const directory = await mkdtemp(join(tmpdir(), 'ordersaga-restarted-'));
  // With the default deadlines, the dispatcher would take minutes.
  const stack = await KillableStack.in(directory, {});
  const alice = new Shopper(stack);
  try {
    await stack.start();
    await alice.signIn();
    const [waiting, paying] = [await alice.order(1), await alice.order(2)];
    for (const { orderId } of [waiting, paying]) {
      expect(await alice.reached(orderId, 'PENDING_PAYMENT')).toHaveProperty(
        'status',
        'PENDING_PAYMENT',
      );
    }
    await fetch(`${stack.companionUrl}/faults/inventory`, {
      method: 'PUT',
      body: JSON.stringify({ mode: 'http_500' }),
    });
    const reserving = await alice.order(3);
    await alice.reached(reserving.orderId, 'PENDING_RESERVING_STOCK');
    // Charged at the third try, and not confirmed while Inventory fails.
    await alice.pay(paying.orderId, 'tok_flaky');
    await alice.reached(paying.orderId, 'PAYMENT_IN_PROGRESS');
    await stack.kill();

    await stack.start();
    await alice.signIn();
    await alice.pay(waiting.orderId, 'tok_ok');
    const [waited, paid, reserved] = await Promise.all([
      alice.reached(waiting.orderId, 'PAYMENT_DONE'),
      alice.reached(paying.orderId, 'PAYMENT_DONE'),
      alice.reached(reserving.orderId, 'PENDING_PAYMENT'),
    ]);
    expect([waited.status, paid.status, reserved.status]).toEqual([
      'PAYMENT_DONE',
      'PAYMENT_DONE',
      'PENDING_PAYMENT',
    ]);
    await alice.pay(reserving.orderId, 'tok_ok');
    expect((await alice.reached(reserving.orderId, 'PAYMENT_DONE')).status).toBe('PAYMENT_DONE');

    // After another kill, the gateway still has one charge per order.
    await stack.kill();
    await stack.start();
    for (const { orderId } of [waiting, paying, reserving]) {
      const answer = await fetch(`${stack.companionUrl}/gateway/charges?orderId=${orderId}`);
      const { charges } = (await answer.json()) as { readonly charges: readonly object[] };
      expect(charges).toMatchObject([{ status: 'CAPTURED' }]);
    }
  } finally {
    await stack.kill();
    await rm(directory, { recursive: true, force: true });
  }
});
