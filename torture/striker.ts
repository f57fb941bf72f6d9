import { setImmediate as nextTurn } from 'node:timers/promises';
import { assertNever } from '../lib/platform/errors.ts';
import { unlessDead } from '../local/stack/lambda-runtime.ts';
import type { Shop } from './shop.ts';
import { FAULTS, isRival, rivalIn, type Strike } from './strikes.ts';
import { executionOf, type RecordedEffect, type WorldInterceptor } from './world/effect-log.ts';
import { GATEWAY_URL } from './world/settings.ts';

/** Shorter than every function's time-out, and longer than a wait for a prompt acknowledgement. */
const STALL_MS = 10_000;

/** Turns of the event loop without an effect after which started work has ended or waits for time. */
const QUIET_TURNS = 25;

/** Injects the strikes of one run of a scenario. */
export class Striker {
  readonly #shop: Shop;
  readonly #strikes: readonly Strike[];
  /** Calls to deliver late, or a second time. */
  readonly #underWay: (() => Promise<unknown>)[] = [];

  constructor(shop: Shop, strikes: readonly Strike[]) {
    this.#shop = shop;
    this.#strikes = strikes;
  }

  readonly intercept: WorldInterceptor = <Result>(
    effect: RecordedEffect,
    proceed: () => Promise<Result>,
  ): Promise<Result> => {
    const struck = this.#strikes
      .filter(({ n }) => n === effect.n)
      .reduceRight<() => Promise<Result>>(
        (then, { what }) =>
          () =>
            this.#strike(what, effect, then),
        proceed,
      );
    return struck();
  };

  /**
   * Delivers them.
   * @returns true if there were any.
   */
  async arrive(): Promise<boolean> {
    const arriving = this.#underWay.splice(0);
    // Nobody waits for these responses any more.
    for (const work of arriving) await work().catch(() => undefined);
    return arriving.length > 0;
  }

  async #strike<Result>(
    what: Strike['what'],
    effect: RecordedEffect,
    proceed: () => Promise<Result>,
  ): Promise<Result> {
    if (isRival(what)) {
      // A rival's call may be refused or fail, as any call may.
      await rivalIn(what)
        .act(this.#shop, effect)
        .catch(() => undefined);
      return this.#goOn(proceed);
    }
    switch (what) {
      case 'dies before':
      case 'dies after':
      case 'loses the answer of':
        return FAULTS[what](effect, proceed);
      case 'is late':
        this.#underWay.push(proceed);
        await this.#pass(this.#timeoutMsOf(effect));
        throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
      case 'comes again': {
        const { functionKey, event } = effect.invocation;
        this.#underWay.push(() => this.#shop.world.invoke(functionKey, event));
        return proceed();
      }
      case 'arrival':
        await this.arrive();
        return this.#goOn(proceed);
      case 'loses its run at':
        this.#shop.world.abortExecutions(executionOf(effect.invocation));
        return proceed();
      case 'stalls':
        await this.#pass(STALL_MS);
        return this.#goOn(proceed);
      default:
        return assertNever(what);
    }
  }

  /** Lets started work run on, then proceeds unless the function has timed out meanwhile. */
  async #goOn<Result>(proceed: () => Promise<Result>): Promise<Result> {
    await this.#quiet();
    return unlessDead(proceed);
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#shop.world.clock.schedule(ms, resolve);
    });
  }

  #timeoutMsOf({ target }: RecordedEffect): number {
    const { GATEWAY_TIMEOUT_MS, INVENTORY_TIMEOUT_MS } = this.#shop.world.runtime.config;
    return target.startsWith(GATEWAY_URL) ? GATEWAY_TIMEOUT_MS : INVENTORY_TIMEOUT_MS;
  }

  /** Lets started work run to its next wait, without letting time pass. */
  async #quiet(): Promise<void> {
    const { effects } = this.#shop.world;
    for (let turns = 0, seen = effects.length; turns < QUIET_TURNS; turns += 1) {
      await nextTurn();
      if (effects.length > seen) turns = 0;
      seen = effects.length;
    }
  }
}
