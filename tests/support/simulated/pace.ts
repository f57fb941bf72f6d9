import type { World } from '../../../torture/world/world.ts';
import { isSkip } from '../target.ts';

/** World time between two checks of a waiter. */
const LOOK_EVERY_MS = 100;
/** Longest world time that a test may wait for one thing. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

/** A test step that waits for time to pass. */
interface Waiter {
  /** Time must not jump over this moment; in milliseconds since 1970. */
  readonly nextLookMs: () => number;
  /**
   * Called when nothing else moves.
   * @returns true if it started anything.
   */
  readonly look: () => boolean;
  readonly giveUp: (error: Error) => void;
}

/**
 * Starts an effect that was held back, when nothing else moves.
 * @returns true if it started one.
 */
export type Release = () => boolean;

/**
 * Lets a world's time pass while at least one test step waits for it, and only if nothing else can move. One
 * loop serves all waiting steps, so time passes once for all of them.
 */
export class Pace {
  readonly #world: Pick<World, 'clock' | 'runUntilIdle'>;
  readonly #waiters = new Set<Waiter>();
  readonly #releases = new Set<Release>();
  #running: Promise<void> | undefined;

  constructor(world: Pick<World, 'clock' | 'runUntilIdle'>) {
    this.#world = world;
  }

  /** Lets time pass until `work` settles, and settles like it. */
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

  /** Lets `byMs` pass; everything due in between happens at its own time. */
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
   * Checks whenever nothing else moves, and as time passes, until `check` succeeds.
   * @returns the result of `check`; after `limitMs`, rejects with its last error.
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
   * Registers a release, which runs before time passes.
   * @returns a function that removes it.
   */
  beforeTimePasses(release: Release): () => void {
    this.#releases.add(release);
    return () => {
      this.#releases.delete(release);
    };
  }

  /** Rejects all waiters; resolves when the loop has ended. */
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
      // Synchronous with the loop's end, so a new waiter starts a new loop.
      this.#running = undefined;
    }
  }

  /** Advances to the next timer or the next check, whichever comes first. */
  #letTimePass(): void {
    const { clock } = this.#world;
    const lookMs = Math.min(...[...this.#waiters].map((waiter) => waiter.nextLookMs()));
    if (clock.nextDueMs !== undefined && clock.nextDueMs <= lookMs) clock.fireNext();
    else if (lookMs > clock.now()) clock.moveTo(lookMs);
    else throw new Error('Nothing moves, and time has passed for long enough.');
  }
}
