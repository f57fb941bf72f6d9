import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findJava, WITHOUT_JAVA } from '../support/java.ts';
import { KillableStack } from '../support/killable-stack.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { runNode } from '../unit/companion/run-node.ts';

/** Larger values for a longer look: KILLS=20 KILL_SEED=7 npx vitest run tests/integration/killed.test.ts */
const KILLS = Number(process.env['KILLS'] ?? '3');
const SEED = Number(process.env['KILL_SEED'] ?? '1');

const SHOPPERS = 6;
const SHORTEST_LIFE_MS = 1000;
const LONGEST_LIFE_MS = 5000;
const LOOK_PAUSE_MS = 500;
const AT_REST_WITHIN_MS = 180_000;

/** Short deadlines, so that interrupted work is done in seconds. */
const SOON = {
  SCHEDULE_SECONDS: '1',
  DISPATCH_AFTER_SECONDS: '1',
  PAYMENT_ACK_TIMEOUT_SECONDS: '2',
  RETRY_MAX_ATTEMPTS: '2',
  INVENTORY_OUTAGE_BUDGET_SECONDS: '5',
  INVENTORY_TIMEOUT_MS: '1000',
  GATEWAY_TIMEOUT_MS: '1000',
};

const METHODS = ['tok_ok', 'tok_async', 'tok_declined', 'tok_ack_lost', 'tok_flaky'];
const MOVING = ['CREATED', 'PENDING_RESERVING_STOCK', 'PAYMENT_IN_PROGRESS'];

let directory: string;
let stack: KillableStack;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordersaga-killed-'));
  stack = await KillableStack.in(directory, SOON);
});

afterAll(async () => {
  await stack.kill();
  await rm(directory, { recursive: true, force: true });
});

const random = seededRandom(SEED);

function oneOf<Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly key?: string;
  readonly body?: unknown;
}

interface Document {
  readonly orderId?: string;
  readonly status?: string;
}

/** Buys, pays, changes and cancels until the stack is gone; after the restart, retries what was not answered. */
class Shopper {
  /** Orders named in a 2xx response. */
  readonly acknowledged = new Set<string>();
  readonly #name: string;
  #requests = 0;
  #unanswered: Request | undefined;
  #token = '';

  constructor(name: string) {
    this.#name = name;
  }

  async shop(): Promise<void> {
    await this.signIn();
    try {
      if (this.#unanswered !== undefined) await this.#send(this.#unanswered);
      for (;;) await this.#buy();
    } catch (error) {
      // A killed stack gives a TypeError; any other error is a finding.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** Every start has a new issuer. */
  async signIn(): Promise<void> {
    const response = await fetch(`${stack.companionUrl}/issuer/token`, {
      method: 'POST',
      body: JSON.stringify({ subject: this.#name }),
    });
    this.#token = ((await response.json()) as { readonly token: string }).token;
  }

  async statusOf(orderId: string): Promise<string | undefined> {
    return (await this.#send({ method: 'GET', path: `/order/${orderId}` })).status;
  }

  async #buy(): Promise<void> {
    const items = [{ productId: oneOf(['prod-coffee', 'prod-mug']), quantity: 1 }];
    const { orderId } = await this.#ask('POST', '/order', { items });
    if (orderId === undefined) return;
    await this.#untilReserved(orderId);
    if (random() < 0.2) {
      await this.#ask('PUT', `/order/${orderId}`, {
        items: [{ productId: 'prod-mug', quantity: 2 }],
      });
    }
    if (random() < 0.15) await this.#ask('POST', `/order/cancelorder/${orderId}`);
    await this.#ask('POST', '/payment', { orderId, paymentMethod: { token: oneOf(METHODS) } });
  }

  async #untilReserved(orderId: string): Promise<void> {
    for (let looks = 0; looks < 20; looks += 1) {
      const { status } = await this.#send({ method: 'GET', path: `/order/${orderId}` });
      if (status !== 'CREATED' && status !== 'PENDING_RESERVING_STOCK') return;
      await pause(25);
    }
  }

  #ask(method: string, path: string, body?: unknown): Promise<Document> {
    this.#requests += 1;
    const key = `${this.#name}-${String(this.#requests)}`;
    return this.#send({ method, path, key, body });
  }

  async #send(request: Request): Promise<Document> {
    const { method, path, key, body } = request;
    if (key !== undefined) this.#unanswered = request;
    const response = await fetch(stack.apiUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const document = JSON.parse(await response.text()) as Document;
    if (key !== undefined) this.#unanswered = undefined;
    if (response.ok && document.orderId !== undefined) this.acknowledged.add(document.orderId);
    return document;
  }
}

/** Waits in real time, because these are real processes. */
async function within<Result>(limitMs: number, check: () => Promise<Result>): Promise<Result> {
  const giveUpAt = performance.now() + limitMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    await pause(LOOK_PAUSE_MS);
  }
}

test(`killed again and again under load it loses no order and charges none twice (seed ${String(SEED)})`, {
  timeout: 600_000,
}, async ({ skip }) => {
  if ((await findJava()) === undefined) skip(WITHOUT_JAVA);
  const shoppers = Array.from(
    { length: SHOPPERS },
    (_none, index) => new Shopper(`shopper-${String(index)}`),
  );
  for (let kills = 0; kills < KILLS; kills += 1) {
    await stack.start();
    const shopping = shoppers.map((shopper) => shopper.shop());
    await pause(SHORTEST_LIFE_MS + random() * (LONGEST_LIFE_MS - SHORTEST_LIFE_MS));
    await stack.kill();
    await Promise.all(shopping);
  }
  const acknowledged = shoppers.flatMap((shopper) =>
    [...shopper.acknowledged].map((orderId) => ({ shopper, orderId })),
  );
  expect(acknowledged.length).toBeGreaterThan(KILLS);

  await stack.start();
  await Promise.all(shoppers.map((shopper) => shopper.signIn()));
  await within(AT_REST_WITHIN_MS, async () => {
    for (const { shopper, orderId } of acknowledged) {
      const status = await shopper.statusOf(orderId);
      expect(status, orderId).toBeDefined();
      expect(MOVING, orderId).not.toContain(status);
    }
  });
  await within(AT_REST_WITHIN_MS, async () => {
    const doctor = await runNode(['tools/doctor.ts', '--grace', '0'], {
      COMPANION_URL: stack.companionUrl,
    });
    expect(doctor, doctor.stdout + doctor.stderr).toMatchObject({ exitCode: 0 });
  });
});
