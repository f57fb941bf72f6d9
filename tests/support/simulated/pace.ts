import type { World } from '../../../torture/world/world.ts';
import { isSkip } from '../target.ts';

/** Between two looks of somebody who waits for something; in the world's time. */
const LOOK_EVERY_MS = 100;
/** The longest that a test may wait for one thing; in the world's time. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

/** Somebody who waits for time to pass. */
interface Waiter {
  /** Time must not jump over this moment; in milliseconds since 1970. */
  readonly nextLookMs: () => number;
  /** Called when nothing else moves. @returns whether that set anything off. */
  readonly look: () => boolean;
  readonly giveUp: (error: Error) => void;
}

/** Sets something off that was held back; called when nothing else moves. @returns whether it did. */
export type Release = () => boolean;

/**
 * Lets a world's time pass while at least one test step waits for it, and only when nothing else can
 * move. Several steps may wait at once: one loop serves them all, so time passes once for all of them.
 */
export class Pace {
  readonly #world: Pick<World, 'clock' | 'runUntilIdle'>;
  readonly #waiters = new Set<Waiter>();
  readonly #releases = new Set<Release>();
  #running: Promise<void> | undefined;

  constructor(world: Pick<World, 'clock' | 'runUntilIdle'>) {
    this.#world = world;
  }

  /** Lets time pass until `work` has settled, and settles like it. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    const { clock } = this.#world;
    const giveUpAtMs = clock.now() + LONGEST_WAIT_MS;
    const { promise, reject } = Promise.withResolvers<never>();
    const waiter = { nextLookMs: () => giveUpAtMs, look: () => false, giveUp: reject };
    try {
      const result = work();
      this.#add(waiter);
      return await Promise.race([result, promise]);
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /** Lets `byMs` pass; everything that falls due on the way happens, each at its own time. */
  async advance(byMs: number): Promise<void> {
    const { clock } = this.#world;
    const untilMs = clock.now() + byMs;
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        nextLookMs: () => untilMs,
        look: () => {
          if (clock.now() < untilMs || (clock.nextDueMs ?? Infinity) <= untilMs) return false;
          this.#waiters.delete(waiter);
          resolve();
          return true;
        },
        giveUp: reject,
      };
      this.#add(waiter);
    });
  }

  /**
   * Looks again whenever nothing else moves, and as time passes, until `check` throws no more.
   * @returns what `check` returned; rejects with what it threw last after `limitMs`.
   */
  eventually<Result>(check: () => Promise<Result> | Result, limitMs: number): Promise<Result> {
    const { clock } = this.#world;
    const giveUpAtMs = clock.now() + limitMs;
    return new Promise((resolve, reject) => {
      let state: 'untried' | 'looking' | 'tried' = 'untried';
      let triedAtMs = clock.now();
      const settle = (how: () => void) => {
        this.#waiters.delete(waiter);
        how();
      };
      const look = async () => {
        try {
          const result = await check();
          settle(() => {
            resolve(result);
          });
        } catch (error) {
          state = 'tried';
          triedAtMs = clock.now();
          if (triedAtMs < giveUpAtMs && !isSkip(error)) return;
          settle(() => {
            reject(asError(error));
          });
        }
      };
      const waiter = {
        nextLookMs: () => clock.now() + LOOK_EVERY_MS,
        look: () => {
          if (state === 'looking' || (state === 'tried' && triedAtMs === clock.now())) return false;
          state = 'looking';
          void look();
          return true;
        },
        giveUp: reject,
      };
      this.#add(waiter);
    });
  }

  /**
   * Before time passes, something held back may be let go.
   * @returns the function that takes the release away again.
   */
  beforeTimePasses(release: Release): () => void {
    this.#releases.add(release);
    return () => {
      this.#releases.delete(release);
    };
  }

  /** Nobody waits any more; resolves when the loop has ended. */
  async stop(): Promise<void> {
    this.#giveUp(new Error('The simulated stack has been stopped.'));
    await this.#running;
  }

  #add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    this.#running ??= this.#run();
  }

  #giveUp(error: Error): void {
    for (const { giveUp } of this.#waiters) giveUp(error);
    this.#waiters.clear();
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiters.size > 0) {
        await this.#world.runUntilIdle();
        if ([...this.#releases].some((release) => release())) continue;
        if ([...this.#waiters].map((waiter) => waiter.look()).includes(true)) continue;
        if (this.#waiters.size > 0) this.#letTimePass();
      }
    } catch (error) {
      this.#giveUp(asError(error));
    } finally {
      // In the same moment: whoever comes next starts a loop of their own.
      this.#running = undefined;
    }
  }

  /** To whatever comes first: the next timer, or the moment that somebody wants to look at. */
  #letTimePass(): void {
    const { clock } = this.#world;
    const lookMs = Math.min(...[...this.#waiters].map((waiter) => waiter.nextLookMs()));
    if (clock.nextDueMs !== undefined && clock.nextDueMs <= lookMs) clock.fireNext();
    else if (lookMs > clock.now()) clock.moveTo(lookMs);
    else throw new Error('Nothing moves, and time has passed for long enough.');
  }
}
