import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../../lib/platform/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** When every world begins. */
export const BEGINNING_MS = Date.UTC(2026, 0, 1);

/** Time that stands still until it is told to go on; nothing here looks at the system's. */
export class VirtualClock implements Clock {
  #nowMs = BEGINNING_MS;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = {
      // In whole milliseconds, as the system's timers and its clock are.
      dueMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)),
      // Whoever lets time go on is not whom the timer belongs to.
      callback: AsyncResource.bind(callback),
    };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** When the next timer is due; undefined where there is none. */
  get nextDueMs(): number | undefined {
    return this.#earliest()?.dueMs;
  }

  /** Fires the one timer that is due first, at its time; of equal ones the oldest. */
  fireNext(): void {
    const timer = this.#earliest();
    if (timer === undefined) return;
    this.#timers.delete(timer);
    this.moveTo(timer.dueMs);
    timer.callback();
  }

  /** Time never goes back. */
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
