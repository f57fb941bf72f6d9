import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { heal } from './faults.ts';
import { Customer, newProduct } from './shop.ts';
import { asTimeGoesOn, startTestStack } from './stack.ts';
import type { TestStack } from './test-stack.ts';

/** The scene of most tests: one stack for a whole file, and a user and a product for each test. */
export class Scene {
  #stack: TestStack | undefined;
  #user: Customer | undefined;
  #productId = '';

  /** Registers the hooks that set the scene for every test of the calling file. */
  constructor(environment: Readonly<Record<string, string>>) {
    beforeAll(async () => {
      // An open circuit would carry one test's outage into the next.
      this.#stack = await startTestStack({ CIRCUIT_MIN_CALLS: '1000', ...environment });
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

  /** A product at 1000 cents, 10 in stock. */
  get productId(): string {
    return this.#productId;
  }

  /** Replaces the product. */
  async freshProduct(): Promise<void> {
    this.#productId = await newProduct(10);
  }

  /** Renews the user's token, which expires after a jump in time. */
  async freshToken(): Promise<void> {
    this.#user = await this.user.withFreshToken();
  }

  /** Lets time pass, with schedules and queues, until `check` succeeds. */
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
