/** The only source of time; handlers, the state machine server, queues and schedules share it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls back once after `delayMs`; the returned function cancels it. */
  schedule(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Resolves after `delayMs` on the given clock. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  const { promise, resolve }: PromiseWithResolvers<void> = Promise.withResolvers();
  clock.schedule(delayMs, resolve);
  return promise;
}

/** Formats a time as RFC 3339 UTC, the form of every time in the API and in stored history. */
export function toTimestamp(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
