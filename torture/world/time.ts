import { setImmediate as nextTurn } from 'node:timers/promises';
import { toTimestamp } from '../../lib/platform/clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** More turns of the event loop than anything takes that ever ends. */
const MOST_TURNS = 100_000;

/** The world did not come to rest in the time it was given; `reasons` says what still moves. */
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
  /** What still has to move by itself, in words. */
  readonly unrest: () => readonly string[];
  /** Throws what went wrong in the world itself. */
  readonly throwDefect: () => void;
}

/** Lets the world's work and its time go on; time moves only when nothing else can. */
export class Time {
  readonly #world: Moving;

  constructor(world: Moving) {
    this.#world = world;
  }

  /**
   * Until everything that runs has ended or waits for time. All work is in promises and in turns of
   * the event loop, so nothing runs any more when a turn sets off no other.
   * @throws NotAtRest where that never happens.
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

  /** Everything that falls due within so many milliseconds happens, each at its own time. */
  async advance(byMs: number): Promise<void> {
    const { clock } = this.#world;
    const untilMs = clock.now() + byMs;
    await this.runUntilIdle();
    while (await this.#step(untilMs));
    clock.moveTo(untilMs);
  }

  /**
   * From timer to timer until nothing moves by itself any more.
   * @returns the milliseconds that took.
   * @throws NotAtRest when more than `limitMs` would pass.
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
   * Until a promise has settled, such as the answer to a call that waits; answers what it answered.
   * @throws NotAtRest when more than `limitMs` would pass.
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

  /** @returns false where nothing is due until then. */
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
