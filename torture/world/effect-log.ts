import { AsyncLocalStorage } from 'node:async_hooks';
import type { Effect, Interceptor } from '../../lib/platform/effects.ts';
import { unlessDead } from '../../local/stack/lambda-runtime.ts';

/** One run of a function: which one, by its key in serverless.yml, and what it was given. */
export interface Invocation {
  readonly functionKey: string;
  readonly event: unknown;
}

/** One effect that a handler asked for, whatever then became of it. */
export interface RecordedEffect extends Effect {
  /** Counts up from 1. */
  readonly n: number;
  /** The function that asked for it, by its key in serverless.yml. */
  readonly by: string;
  /** The very run of that function. */
  readonly invocation: Invocation;
  readonly atMs: number;
}

/** Like an interceptor, which is also told which effect of the world it is, and whose. */
export type WorldInterceptor = <Result>(
  effect: RecordedEffect,
  proceed: () => Promise<Result>,
) => Promise<Result>;

/** Numbers every effect before anybody may interfere with it. */
export class EffectLog {
  readonly effects: RecordedEffect[] = [];
  readonly #now: () => number;
  readonly #callers = new AsyncLocalStorage<Invocation>();
  #interceptor: WorldInterceptor = (_effect, proceed) => proceed();
  #isClosed = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Sees every effect from here on, in the place of whoever did before. */
  setInterceptor(interceptor: WorldInterceptor): void {
    this.#interceptor = interceptor;
  }

  /** Runs a function; what it asks for is logged as its own. */
  asCaller<Result>(invocation: Invocation, run: () => Result): Result {
    return this.#callers.run(invocation, run);
  }

  /** The function that runs here, if one does. */
  caller(): string | undefined {
    return this.#callers.getStore()?.functionKey;
  }

  /** No effect ever happens again: whoever asks for one waits for ever, as the dead do. */
  close(): void {
    this.#isClosed = true;
  }

  /** What a handler does passes here; what the world does for itself is not logged. */
  readonly intercept: Interceptor = (effect, proceed) => {
    if (this.#isClosed) return new Promise(() => undefined);
    const invocation = this.#callers.getStore();
    if (invocation === undefined) return proceed();
    return unlessDead(() => {
      const { functionKey: by } = invocation;
      const n = this.effects.length + 1;
      const recorded = { ...effect, n, by, invocation, atMs: this.#now() };
      this.effects.push(recorded);
      return this.#interceptor(recorded, proceed);
    });
  };
}
