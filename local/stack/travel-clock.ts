import { AsyncResource } from 'node:async_hooks';
// The module's own timers, which stay the same if the global ones are replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../lib/platform/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Source of real time. */
export interface TimeSource {
  /** The system's clock, in milliseconds since the Unix epoch. It can be set. */
  readonly systemNow: () => number;
  /** Monotonic milliseconds since any moment. It is never set and never goes back. */
  readonly monotonicNow: () => number;
}

/** Captured before `Date.now` is replaced: a running stack makes it follow this clock. */
const REAL_TIME: TimeSource = {
  systemNow: Date.now.bind(Date),
  monotonicNow: performance.now.bind(performance),
};

/** If the two clocks differ by more than this, the system's clock was set. */
const CLOCK_DRIFT_LIMIT_MS = 1000;

/** The longest delay that setTimeout takes. A longer one would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * Real time plus an offset. The clock runs as the system's clock does, with one exception. If the system's clock
 * is set back, this clock goes on as before, so that no timer is late. `advance` jumps ahead. On the way it fires
 * all due timers in order, each at its own time.
 */
export class TravelClock implements Clock {
  /**
   * Awaited after every timer that a jump fires. The timer's work is then finished and has set its own timers
   * before time goes on. The owner replaces it by a function that knows that work.
   */
  settle: () => Promise<unknown> = () => nextTurn();

  readonly #source: TimeSource;
  #offsetMs = 0;
  /** Both clocks of the source at one moment, since which they have advanced in step. */
  #together: { readonly systemMs: number; readonly monotonicMs: number };
  /** During a jump, time stands still between the timers. */
  #frozenAtMs: number | undefined;
  #timers = new Set<Timer>();
  #armed: { readonly dueMs: number; readonly handle: NodeJS.Timeout } | undefined;
  #lastJump: Promise<void> = Promise.resolve();

  constructor(source: TimeSource = REAL_TIME) {
    this.#source = source;
    this.#together = { systemMs: source.systemNow(), monotonicMs: source.monotonicNow() };
  }

  now(): number {
    return this.#frozenAtMs ?? this.#systemNow() + this.#offsetMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    // One real timer serves all. Without the binding, a callback would run in the async context of the code that
    // armed it.
    const timer = {
      dueMs: this.now() + Math.max(0, delayMs),
      callback: AsyncResource.bind(callback),
    };
    this.#timers.add(timer);
    this.#armFor(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /**
   * Jumps `byMs` ahead. It also fires timers that are set on the way and fall due before the end. Concurrent
   * jumps follow each other.
   */
  advance(byMs: number): Promise<void> {
    const jump = this.#lastJump.then(() => this.#jump(byMs));
    this.#lastJump = jump.catch(() => undefined);
    return jump;
  }

  /** Skips `byMs` at once, while other work runs. Timers that have fallen due fire next. */
  skip(byMs: number): void {
    this.#offsetMs += byMs;
    this.#disarm();
    this.#armEarliest();
  }

  /** Cancels every timer. */
  stop(): void {
    this.#timers.clear();
    this.#disarm();
  }

  async #jump(byMs: number): Promise<void> {
    const targetMs = this.now() + byMs;
    this.#frozenAtMs = this.now();
    this.#disarm();
    try {
      await this.settle();
      for (let next = this.#earliest(); next !== undefined; next = this.#earliest()) {
        if (next.dueMs > targetMs) break;
        this.#frozenAtMs = Math.max(this.#frozenAtMs, next.dueMs);
        this.#fire(next);
        await this.settle();
      }
    } finally {
      this.#offsetMs = targetMs - this.#systemNow();
      this.#frozenAtMs = undefined;
      this.#armEarliest();
    }
  }

  /** The system's time. The offset makes up for a clock that was set back. */
  #systemNow(): number {
    const systemMs = this.#source.systemNow();
    const monotonicMs = this.#source.monotonicNow();
    const aheadMs = systemMs - this.#together.systemMs - (monotonicMs - this.#together.monotonicMs);
    if (Math.abs(aheadMs) > CLOCK_DRIFT_LIMIT_MS) {
      // A clock that was set forward is followed, because a machine that has slept looks the same.
      if (aheadMs < 0) this.#offsetMs -= Math.round(aheadMs);
      this.#together = { systemMs, monotonicMs };
    }
    return systemMs;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    timer.callback();
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    // Insertion order settles ties, as it does for setTimeout.
    for (const timer of this.#timers) {
      if (earliest === undefined || timer.dueMs < earliest.dueMs) earliest = timer;
    }
    return earliest;
  }

  #armEarliest(): void {
    const earliest = this.#earliest();
    if (earliest !== undefined) this.#armFor(earliest);
  }

  #armFor({ dueMs }: Timer): void {
    if (this.#frozenAtMs !== undefined) return;
    if (this.#armed !== undefined && this.#armed.dueMs <= dueMs) return;
    this.#disarm();
    const delayMs = Math.min(Math.max(0, dueMs - this.now()), LONGEST_DELAY_MS);
    const handle = setTimeout(() => {
      this.#armed = undefined;
      this.#fireDue();
    }, delayMs);
    this.#armed = { dueMs, handle };
  }

  #fireDue(): void {
    const nowMs = this.now();
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= nowMs);
    try {
      for (const timer of due.sort((a, b) => a.dueMs - b.dueMs)) {
        // An earlier callback may have cancelled it.
        if (this.#timers.has(timer)) this.#fire(timer);
      }
    } finally {
      this.#armEarliest();
    }
  }

  #disarm(): void {
    clearTimeout(this.#armed?.handle);
    this.#armed = undefined;
  }
}
