import { setImmediate as nextTurn } from 'node:timers/promises';
import { toTimestamp } from '../../lib/platform/clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** More turns of the event loop than any finite work takes. */
const MOST_TURNS = 100_000;

/** The world did not come to rest in time; `reasons` lists what still moves. */
export class NotAtRest extends Error {
  override readonly name = 'NotAtRest';
  readonly reasons: readonly string[];

  constructor(what: string, reasons: readonly string[]) {
    super(`${what}\n${reasons.join('\n')}`);
    this.reasons = reasons;
  }
}

export interface Moving {
  readonly clock: VirtualClock;
  /** Work that still moves by itself, one text each. */
  readonly unrest: () => readonly string[];
  /** Throws an error of the world itself, if there was one. */
  readonly throwDefect: () => void;
}

/** Runs the world's work; time advances only when nothing else can run. */
export class Time {
  readonly #world: Moving;

  constructor(world: Moving) {
    this.#world = world;
  }

  /**
   * Resolves when all running work has ended or waits for time. All work is in promises and event-loop turns,
   * so it is over when a turn starts no other.
   * @throws NotAtRest if that never happens.
   */
  async runUntilIdle(): Promise<void> {
    let turns = 0;
    do {
      await nextTurn();
      turns += 1;
      if (turns > MOST_TURNS) {
        throw new NotAtRest('The same moment never ends.', this.#world.unrest());
      }
    } while (process.getActiveResourcesInfo().includes('Immediate'));
    this.#world.throwDefect();
  }

  /** Advances the clock by `byMs`; everything due in between happens at its own time. */
  async advance(byMs: number): Promise<void> {
    const { clock } = this.#world;
    const untilMs = clock.now() + byMs;
    await this.runUntilIdle();
    while (await this.#step(untilMs));
    clock.moveTo(untilMs);
  }

  /**
   * Advances from timer to timer until nothing moves by itself.
   * @returns the elapsed milliseconds.
   * @throws NotAtRest if it would take more than `limitMs`.
   */
  async runToRest(limitMs: number): Promise<number> {
    const { clock, unrest } = this.#world;
    const startMs = clock.now();
    await this.runUntilIdle();
    for (let reasons = unrest(); reasons.length > 0; reasons = unrest()) {
      if (!(await this.#step(startMs + limitMs))) {
        throw new NotAtRest(`Not at rest after ${String(limitMs)} ms.`, this.#describe(reasons));
      }
    }
    return clock.now() - startMs;
  }

  /**
   * Advances until a promise settles, such as the response to a waiting call, and returns its result.
   * @throws NotAtRest if it would take more than `limitMs`.
   */
  async until<Result>(promise: Promise<Result>, limitMs: number): Promise<Result> {
    const { clock, unrest } = this.#world;
    const untilMs = clock.now() + limitMs;
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => undefined);
    await this.runUntilIdle();
    while (!hasSettled()) {
      if (!(await this.#step(untilMs))) {
        throw new NotAtRest(`No answer within ${String(limitMs)} ms.`, this.#describe(unrest()));
      }
    }
    return settled;

    function hasSettled() {
      return isSettled;
    }
  }

  /** @returns false if nothing is due until then. */
  async #step(untilMs: number): Promise<boolean> {
    const { clock } = this.#world;
    const { nextDueMs } = clock;
    if (nextDueMs === undefined || nextDueMs > untilMs) return false;
    clock.fireNext();
    await this.runUntilIdle();
    return true;
  }

  #describe(reasons: readonly string[]): string[] {
    const { clock } = this.#world;
    const next =
      clock.nextDueMs === undefined
        ? 'no timer is set'
        : `the next timer is due at ${toTimestamp(clock.nextDueMs)}`;
    return [...reasons, `it is ${toTimestamp(clock.now())}, ${next}`];
  }
}
