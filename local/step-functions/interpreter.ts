import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextMacrotask } from 'node:timers/promises';
import { StateMachine } from 'aws-local-stepfunctions';
import type { Clock } from '../../lib/platform/clock.ts';

/*
 * The interpreter calls the global timers and Date.now. It starts every branch of a Parallel and every iteration
 * of a Map by StateMachine.run. While a server is alive, these four are replaced. Inside a scope (an asynchronous
 * context) they obey the injected clock and end with the scope. Everywhere else they are the originals.
 */

type Run = ReturnType<StateMachine['run']>;
type RunArguments = Parameters<StateMachine['run']>;

/** Any JSON value, as the interpreter types it. */
export type Json = Awaited<Run['result']>;
/** An entry of the interpreter's own event log. */
export type InterpreterEvent = Run['eventLogs'] extends AsyncGenerator<infer Event> ? Event : never;

/** Node's timers count in a signed 32-bit integer. A longer delay would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const currentScope = new AsyncLocalStorage<InterpreterScope | undefined>();

/** Runs `work` as if the interpreter had not called it. */
export function outsideInterpreter<Result>(work: () => Result): Result {
  return currentScope.run(undefined, work);
}

/** Scope of the current run, branch or iteration. Only handlers may ask for it. */
export function interpreterScope(): InterpreterScope {
  const scope = currentScope.getStore();
  if (scope === undefined) throw new Error('called from outside the interpreter');
  return scope;
}

/** Resources of one run of a state machine, branch or iteration. Closing the scope releases all of them. */
export class InterpreterScope {
  readonly #clock: Clock;
  readonly #releases = new Set<() => void>();
  #isClosed = false;
  #onNextTimeout: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  run<Result>(work: () => Result): Result {
    return currentScope.run(this, work);
  }

  now(): number {
    return outsideInterpreter(() => this.#clock.now());
  }

  /**
   * Calls back on the clock unless the scope closes first.
   * @returns a function that cancels the call.
   */
  schedule(delayMs: number, callback: () => void): () => void {
    if (this.#isClosed) return () => undefined;
    let cancelClock = (): void => undefined;
    const wait = (remainingMs: number): void => {
      const stepMs = Math.min(remainingMs, LONGEST_TIMER_MS);
      cancelClock = outsideInterpreter(() =>
        this.#clock.schedule(stepMs, () => {
          if (remainingMs > stepMs) {
            wait(remainingMs - stepMs);
          } else {
            release();
            this.run(callback);
          }
        }),
      );
    };
    const cancel = (): void => {
      release();
      cancelClock();
    };
    const release = this.onClose(cancel);
    wait(Math.max(0, delayMs));
    return cancel;
  }

  /**
   * Calls back at the task's time-out. The interpreter calls a task's handler and sets its time-out in one
   * synchronous stretch. So the first timer after a handler's call is the task's own.
   */
  onNextTimeout(callback: () => void): void {
    this.#onNextTimeout = callback;
  }

  setTimeout(callback: () => void, delayMs: number): InterpreterTimer {
    const beforeCallback = this.#onNextTimeout;
    this.#onNextTimeout = undefined;
    return new InterpreterTimer(
      this.schedule(delayMs, () => {
        beforeCallback?.();
        callback();
      }),
    );
  }

  /**
   * Registers a function that the scope calls when it closes.
   * @returns a function that removes it again.
   */
  onClose(release: () => void): () => void {
    this.#releases.add(release);
    return () => {
      this.#releases.delete(release);
    };
  }

  /** Opens a scope that closes with this one at the latest. */
  branch(): InterpreterScope {
    const branch = new InterpreterScope(this.#clock);
    if (this.#isClosed) branch.close();
    else
      branch.onClose(
        this.onClose(() => {
          branch.close();
        }),
      );
    return branch;
  }

  close(): void {
    this.#isClosed = true;
    for (const release of this.#releases) release();
    this.#releases.clear();
  }
}

class InterpreterTimer {
  readonly cancel: () => void;

  constructor(cancel: () => void) {
    this.cancel = cancel;
  }
}

const original = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  now: Date.now.bind(Date),
  run: Reflect.get<StateMachine, 'run'>(StateMachine.prototype, 'run'),
};

function scopedSetTimeout(callback: () => void, delayMs?: number, ...args: []): unknown {
  const scope = currentScope.getStore();
  return scope === undefined
    ? original.setTimeout(callback, delayMs, ...args)
    : scope.setTimeout(callback, delayMs ?? 0);
}
// util.promisify finds its own variant of setTimeout among these properties.
Object.defineProperties(scopedSetTimeout, Object.getOwnPropertyDescriptors(original.setTimeout));

function scopedClearTimeout(timer: unknown): void {
  if (timer instanceof InterpreterTimer) timer.cancel();
  else original.clearTimeout(timer as NodeJS.Timeout | undefined);
}

function scopedRun(this: StateMachine, ...args: RunArguments): Run {
  const parent = currentScope.getStore();
  if (parent === undefined) return original.run.apply(this, args);
  const scope = parent.branch();
  const run = scope.run(() => original.run.apply(this, args));
  return {
    ...run,
    // At the run's result, its last events are still on their way to its parent's log.
    result: run.result.finally(() => {
      scope.close();
      return nextMacrotask();
    }),
  };
}

let users = 0;

/** Makes the interpreter obey injected clocks. @returns a function that restores it. */
export function installInterpreterScopes(): () => void {
  users += 1;
  globalThis.setTimeout = scopedSetTimeout as typeof globalThis.setTimeout;
  globalThis.clearTimeout = scopedClearTimeout;
  Date.now = () => currentScope.getStore()?.now() ?? original.now();
  StateMachine.prototype.run = scopedRun;
  return () => {
    users -= 1;
    if (users > 0) return;
    globalThis.setTimeout = original.setTimeout;
    globalThis.clearTimeout = original.clearTimeout;
    Date.now = original.now;
    StateMachine.prototype.run = original.run;
  };
}
