import { createHash } from 'node:crypto';
import type { Effect, Interceptor } from '../../lib/platform/effects.ts';
import { seededRandom } from './seeded-random.ts';
import type { Pace } from './simulated/pace.ts';
import { currentPace } from './simulated/simulated-stack.ts';
import type { TestStack } from './test-stack.ts';

/** Turns of the event loop without a new effect that count as "everyone waits". */
const QUIET_TURNS = 4;

interface Waiting {
  readonly label: string;
  readonly go: () => void;
}

/**
 * Runs concurrent handlers one effect at a time, in an order that a seed decides. Each effect waits until
 * nothing else runs; then one of the waiting effects proceeds. Calls between the two services are not effects
 * here, but their own effects are.
 */
export class Interleaving {
  readonly #random: () => number;
  readonly #waiting: Waiting[] = [];
  readonly #order: string[] = [];
  #running = 0;
  #arrivals = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Hash of the order in which the effects happened. */
  get fingerprint(): string {
    return createHash('sha256').update(this.#order.join('\n')).digest('hex').slice(0, 16);
  }

  /** Runs `work`, and everything that it starts, under this schedule. */
  async run<Result>(stack: TestStack, work: () => Promise<Result>): Promise<Result> {
    const pace = currentPace();
    if (pace !== undefined) return this.#runAt(pace, stack, work);
    const state = { isDone: false };
    stack.setInterceptor(this.#intercept);
    const result = work().finally(() => {
      state.isDone = true;
    });
    while (!state.isDone || this.#waiting.length > 0) await this.#letOneThrough();
    stack.setInterceptor((_effect, proceed) => proceed());
    for (const { go } of this.#waiting.splice(0)) go();
    return result;
  }

  /** The simulated stack knows when nothing else moves, so it needs no count of turns. */
  async #runAt<Result>(pace: Pace, stack: TestStack, work: () => Promise<Result>): Promise<Result> {
    const withdraw = pace.beforeTimePasses(() => this.#letOneGo());
    stack.setInterceptor(this.#intercept);
    try {
      const result = await pace.during(work);
      while (this.#waiting.length > 0) await pace.advance(0);
      return result;
    } finally {
      withdraw();
      stack.setInterceptor((_effect, proceed) => proceed());
      for (const { go } of this.#waiting.splice(0)) go();
    }
  }

  readonly #intercept: Interceptor = async (effect, proceed) => {
    if (effect.kind === 'http' && effect.target.includes('/inventory/')) return proceed();
    await this.turn(labelOf(effect));
    this.#running += 1;
    try {
      return await proceed();
    } finally {
      this.#running -= 1;
    }
  };

  /** Waits like an effect, so that a test can place an act of its own among them. */
  turn(label: string): Promise<void> {
    this.#arrivals += 1;
    return new Promise((resolve) => {
      this.#waiting.push({ label, go: resolve });
    });
  }

  async #letOneThrough(): Promise<void> {
    await this.#quiet();
    this.#letOneGo();
  }

  /** @returns true if an effect was waiting. */
  #letOneGo(): boolean {
    const index = Math.floor(this.#random() * this.#waiting.length);
    const [chosen] = this.#waiting.splice(index, 1);
    if (chosen === undefined) return false;
    this.#order.push(chosen.label);
    chosen.go();
    return true;
  }

  /** Resolves when no effect runs and no new one has arrived for a few turns. */
  async #quiet(): Promise<void> {
    let seen = this.#arrivals;
    for (let quietTurns = 0; quietTurns < QUIET_TURNS; quietTurns += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (this.#running > 0 || this.#arrivals !== seen) {
        seen = this.#arrivals;
        quietTurns = -1;
      }
    }
  }
}

function labelOf({ kind, operation, target }: Effect): string {
  return `${kind} ${operation} ${kind === 'http' ? new URL(target).pathname : target}`;
}
