import { AsyncLocalStorage } from 'node:async_hooks';
import type { Effect, Interceptor } from '../../lib/platform/effects.ts';
import { unlessDead } from '../../local/stack/lambda-runtime.ts';

/** One invocation of a function: its key in serverless.yml and its event. */
export interface Invocation {
  readonly functionKey: string;
  readonly event: unknown;
}

/** Name of the execution whose step this invocation is, if it is one. */
export function executionOf({ event }: Invocation): string | undefined {
  if (typeof event !== 'object' || event === null || !('run' in event)) return undefined;
  const { orderId, run } = event as { readonly orderId: string; readonly run: number };
  return `${orderId}-${String(run)}`;
}

/** One effect that a handler asked for, even if it failed. */
export interface RecordedEffect extends Effect {
  /** Number of the effect, from 1. */
  readonly n: number;
  /** Key in serverless.yml of the function that asked for it. */
  readonly by: string;
  /** The invocation that asked for it. */
  readonly invocation: Invocation;
  readonly atMs: number;
}

/** An interceptor that also receives the effect's number and its invocation. */
export type WorldInterceptor = <Result>(
  effect: RecordedEffect,
  proceed: () => Promise<Result>,
) => Promise<Result>;

/** Numbers and records every effect before an interceptor changes it. */
export class EffectLog {
  readonly effects: RecordedEffect[] = [];
  readonly #now: () => number;
  readonly #callers = new AsyncLocalStorage<Invocation>();
  #interceptor: WorldInterceptor = (_effect, proceed) => proceed();
  #requester: Invocation | undefined;
  #isClosed = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Replaces the interceptor for all further effects. */
  setInterceptor(interceptor: WorldInterceptor): void {
    this.#interceptor = interceptor;
  }

  /** Runs a function so that its effects are recorded as this invocation's. */
  asCaller<Result>(invocation: Invocation, run: () => Result): Result {
    return this.#callers.run(invocation, run);
  }

  /** Key of the function that runs in this async context, if one does. */
  caller(): string | undefined {
    return this.#callers.getStore()?.functionKey;
  }

  /** Carries out a request of this async context's function at once. */
  carryOut<Result>(operation: () => Result): Result {
    this.#requester = this.#callers.getStore();
    try {
      return operation();
    } finally {
      this.#requester = undefined;
    }
  }

  /** The invocation whose request is being carried out, if it is a function's. */
  get requester(): Invocation | undefined {
    return this.#requester;
  }

  /** Blocks every further effect for ever, as if its process were dead. */
  close(): void {
    this.#isClosed = true;
  }

  /** Every effect of a handler passes here; effects of the world itself are not recorded. */
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
