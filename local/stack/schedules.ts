import { type Clock, toTimestamp } from '../../lib/platform/clock.ts';

export interface SchedulesOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly functionKeys: readonly string[];
  /** Invokes a function. It reports failures itself, as an asynchronous invocation does. */
  readonly invoke: (functionKey: string, event: unknown) => Promise<unknown>;
}

/** Runs functions at an interval on the clock, as EventBridge does. */
export class Schedules {
  readonly #options: SchedulesOptions;
  readonly #running = new Map<string, Promise<void>>();
  #cancel: () => void = () => undefined;

  constructor(options: SchedulesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.clock.schedule(this.#options.intervalMs, () => {
      this.start();
      for (const key of this.#options.functionKeys) {
        // Skips this turn if the function still runs.
        if (!this.#running.has(key)) void this.#run(key);
      }
    });
  }

  /** Runs each function once now, after its current run if there is one. */
  async runAll(): Promise<void> {
    await Promise.all(this.#options.functionKeys.map((key) => this.#run(key)));
  }

  /** Cancels the interval and waits for running functions. */
  async stop(): Promise<void> {
    this.#cancel();
    await Promise.all(this.#running.values());
  }

  #run(key: string): Promise<void> {
    const run = (this.#running.get(key) ?? Promise.resolve())
      .then(() => this.#invoke(key))
      .catch(() => undefined)
      .then(() => {
        if (this.#running.get(key) === run) this.#running.delete(key);
      });
    this.#running.set(key, run);
    return run;
  }

  #invoke(key: string): Promise<unknown> {
    const event = {
      version: '0',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      time: toTimestamp(this.#options.clock.now()),
      detail: {},
    };
    return this.#options.invoke(key, event);
  }
}
