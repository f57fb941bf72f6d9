import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../../lib/platform/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Start time of every world. */
export const BEGINNING_MS = Date.UTC(2026, 0, 1);

/** A clock that moves only when told to, independent of the system's. */
export class VirtualClock implements Clock {
  #nowMs = BEGINNING_MS;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = {
      // Whole milliseconds, as the system's timers and clock have.
      dueMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)),
      // Keeps the async context of the code that set the timer.
      callback: AsyncResource.bind(callback),
    };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Time of the next timer; undefined if there is none. */
  get nextDueMs(): number | undefined {
    return this.#earliest()?.dueMs;
  }

  /** Moves to the next timer and fires it; of equal ones, the oldest. */
  fireNext(): void {
    const timer = this.#earliest();
    if (timer === undefined) return;
    this.#timers.delete(timer);
    this.moveTo(timer.dueMs);
    timer.callback();
  }

  /** Moves forwards only. */
  moveTo(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms);
  }

  /** Cancels every timer. */
  stop(): void {
    this.#timers.clear();
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (earliest === undefined || timer.dueMs < earliest.dueMs) earliest = timer;
    }
    return earliest;
  }
}
