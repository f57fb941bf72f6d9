export interface Progress {
  readonly part: string;
  readonly milliseconds: number;
}

/** Starts the parts of a stack concurrently, and stops all that have started. */
export class Parts {
  readonly #onProgress: (step: Progress) => void;
  readonly #starting = new Set<Promise<unknown>>();
  readonly #stops: (() => unknown)[] = [];

  constructor(onProgress: (step: Progress) => void) {
    this.#onProgress = onProgress;
  }

  /** Starts a part and reports the time it took. */
  async start<Result>(part: string, start: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    const starting = start();
    this.#starting.add(starting);
    const result = await starting;
    this.#onProgress({ part, milliseconds: Math.round(performance.now() - startedAt) });
    return result;
  }

  /** Registers a function that stops a part. Call it as soon as there is something to stop. */
  onStop(stop: () => unknown): void {
    this.#stops.push(stop);
  }

  /**
   * Waits for parts that are still starting, then stops all, the last one first.
   * @throws AggregateError of all failures, after every part was tried.
   */
  async stop(): Promise<void> {
    await Promise.allSettled(this.#starting);
    const failures: unknown[] = [];
    for (const stop of this.#stops.splice(0).reverse()) {
      try {
        await stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Not every part could be stopped');
  }
}
