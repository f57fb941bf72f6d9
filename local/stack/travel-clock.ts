import { AsyncResource } from 'node:async_hooks';
// The module's own timers, whatever becomes of the global ones.
import { clearTimeout, setTimeout } from 'node:timers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../lib/platform/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Real time, as a clock reads it. */
export interface TimeSource {
  /** The system's clock, in milliseconds since the Unix epoch; somebody may set it. */
  readonly systemNow: () => number;
  /** Milliseconds since any moment; never set, and never going back. */
  readonly monotonicNow: () => number;
}

/** Kept from before anyone replaces it: a running stack makes `Date.now` follow this clock. */
const REAL_TIME: TimeSource = {
  systemNow: Date.now.bind(Date),
  monotonicNow: performance.now.bind(performance),
};

/** Apart from each other by more than this, the system's clock was set. */
const CLOCK_WAS_SET_MS = 1000;

/** The longest delay that setTimeout takes; beyond it, it fires at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * Real time plus an offset. Left alone it runs as the system's clock does, but for one thing: if that
 * is set back, this one goes on as if it had not been, so that every timer still falls due in its time.
 * `advance` jumps ahead and fires on the way everything that falls due, in order, each at its own time.
 */
export class TravelClock implements Clock {
  /**
   * Awaited after every timer that a jump fires, so that what it set off has finished, and has set
   * its own timers, before time goes on. The owner replaces it by something that knows its work.
   */
  settle: () => Promise<unknown> = () => nextTurn();

  readonly #source: TimeSource;
  #offsetMs = 0;
  /** Both clocks of the source at the same moment: since then they have gone on together. */
  #together: { readonly systemMs: number; readonly monotonicMs: number };
  /** During a jump time stands still between the timers. */
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
    // One real timer serves all: without the binding, a callback would run in the async context
    // of whoever armed it.
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
   * Jumps `byMs` ahead. Timers set on the way fire too when they fall due before the end.
   * Jumps asked for at the same time follow each other.
   */
  advance(byMs: number): Promise<void> {
    const jump = this.#lastJump.then(() => this.#jump(byMs));
    this.#lastJump = jump.catch(() => undefined);
    return jump;
  }

  /**
   * Time goes on by so much at once, whatever is running just then; what has fallen due fires next.
   */
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

  /** The system's time, after the offset has made up for whatever it was set back by. */
  #systemNow(): number {
    const systemMs = this.#source.systemNow();
    const monotonicMs = this.#source.monotonicNow();
    const aheadMs = systemMs - this.#together.systemMs - (monotonicMs - this.#together.monotonicMs);
    if (Math.abs(aheadMs) > CLOCK_WAS_SET_MS) {
      // Set forward it is followed: so it is after a machine has slept, too.
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
