import { StartupProblem } from './startup-problem.ts';

class TooMuchReserved extends StartupProblem {
  override readonly name = 'TooMuchReserved';
}

interface PoolFunction {
  readonly key: string;
  readonly reservedConcurrency?: number | undefined;
}

/**
 * Concurrent invocations that an account may run. A function with reserved concurrency runs that many at once, and
 * no more; all others share what is left.
 */
export class ConcurrencyPool {
  readonly #running = new Map<string | undefined, number>();
  readonly #unreserved: number;

  /** @throws TooMuchReserved if the functions reserve more than there is. */
  constructor(limit: number, functions: readonly PoolFunction[]) {
    const reserved = functions.reduce((sum, fn) => sum + (fn.reservedConcurrency ?? 0), 0);
    this.#unreserved = limit - reserved;
    if (this.#unreserved < 0) {
      throw new TooMuchReserved(
        `The functions reserve ${String(reserved)} concurrent invocations of ${String(limit)}.`,
      );
    }
  }

  /** Takes a place. @returns its release; undefined if there is none, and the invocation is throttled. */
  take({ key, reservedConcurrency }: PoolFunction): (() => void) | undefined {
    const share = reservedConcurrency === undefined ? undefined : key;
    const running = this.#running.get(share) ?? 0;
    if (running >= (reservedConcurrency ?? this.#unreserved)) return undefined;
    this.#running.set(share, running + 1);
    return () => {
      this.#running.set(share, (this.#running.get(share) ?? 0) - 1);
    };
  }
}
