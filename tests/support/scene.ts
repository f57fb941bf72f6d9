import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { heal } from './faults.ts';
import { Customer, newProduct } from './shop.ts';
import { asTimeGoesOn, startTestStack } from './stack.ts';
import type { TestStack } from './test-stack.ts';

/** What most tests of a file act in: one stack for all of them, a user and a product for each. */
export class Scene {
  #stack: TestStack | undefined;
  #user: Customer | undefined;
  #productId = '';

  /** Registers the hooks that set the scene for every test of the file that calls it. */
  constructor(environment: Readonly<Record<string, string>>) {
    beforeAll(async () => {
      // An open circuit would carry one test's outage into the next.
      this.#stack = await startTestStack({ INVENTORY_CIRCUIT_FAILURES: '1000', ...environment });
    });
    beforeEach(async () => {
      this.#user = await Customer.of(this.stack);
      await this.freshProduct();
    });
    afterEach(() => {
      heal(this.stack);
    });
    afterAll(async () => {
      await this.stack.stop();
    });
  }

  get stack(): TestStack {
    if (this.#stack === undefined) throw new Error('The stack is not up.');
    return this.#stack;
  }

  get user(): Customer {
    if (this.#user === undefined) throw new Error('No test runs.');
    return this.#user;
  }

  /** At 1000 cents each, 10 in stock. */
  get productId(): string {
    return this.#productId;
  }

  /** Another product from here on. */
  async freshProduct(): Promise<void> {
    this.#productId = await newProduct(10);
  }

  /** After a jump in time: the same user, whose token has run out otherwise. */
  async freshToken(): Promise<void> {
    this.#user = await this.user.withFreshToken();
  }

  /** Time goes on, and the schedules and queues with it, until `check` throws no more. */
  inTime<Result>(check: () => Promise<Result>): Promise<Result> {
    return asTimeGoesOn(
      this.stack,
      async () => {
        await this.stack.runSchedules();
        await this.stack.pollQueues();
        return check();
      },
      { stepSeconds: 10 },
    );
  }
}
