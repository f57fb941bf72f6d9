import type { Clock } from '../../lib/platform/clock.ts';

interface Visit {
  readonly enteredAtMs: number;
  retryCount: number;
  hasStarted: boolean;
}

/**
 * Knows since when an execution is in each of its states, and how often it has retried the state since. No two
 * entries have the same time, though no time may pass between them here: on AWS it does.
 */
export class StateAttempts {
  readonly #clock: Clock;
  readonly #visits = new Map<string, Visit>();
  #lastEnteredAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The context object's `$$.State` for the attempt that begins when one of its members is read. */
  contextOf(name: string): object {
    const next = () => this.#next(name);
    return {
      Name: name,
      get EnteredTime(): string {
        return new Date(next().enteredAtMs).toISOString();
      },
      get RetryCount(): number {
        return next().retryCount;
      },
    };
  }

  /** Records that an attempt has begun: the next one is a retry, unless the state is left before. */
  started(name: string): void {
    this.#next(name).hasStarted = true;
  }

  left(name: string): void {
    this.#visits.delete(name);
  }

  #next(name: string): Visit {
    let visit = this.#visits.get(name);
    if (visit === undefined) {
      const enteredAtMs = Math.max(this.#clock.now(), this.#lastEnteredAtMs + 1);
      this.#lastEnteredAtMs = enteredAtMs;
      visit = { enteredAtMs, retryCount: 0, hasStarted: false };
      this.#visits.set(name, visit);
    }
    if (visit.hasStarted) {
      visit.retryCount += 1;
      visit.hasStarted = false;
    }
    return visit;
  }
}
