import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';
import type { Clock } from '../../lib/platform/clock.ts';
import { ConcurrencyPool } from './concurrency-pool.ts';

export interface LambdaFunction {
  /** Key in serverless.yml. */
  readonly key: string;
  /** Deployed name, `ordersaga-local-<key>`. */
  readonly name: string;
  /** File without its extension, a dot, and the export. */
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  /** Concurrent invocations that it has for itself, and may not exceed. */
  readonly reservedConcurrency?: number | undefined;
}

export interface LambdaRuntimeOptions {
  readonly functions: readonly LambdaFunction[];
  /** Root of the handlers' paths. */
  readonly directory: string;
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  /** Concurrent invocations of the account. Default: no limit. */
  readonly concurrency?: number | undefined;
  /** Called for every invocation that fails, as CloudWatch would be. */
  readonly onFailure?: (fn: LambdaFunction, requestId: string, error: InvocationError) => void;
  /** Called after every invocation, successful or not, with the real time it took. */
  readonly onEnd?: OnInvocationEnd | undefined;
}

export type OnInvocationEnd = (fn: LambdaFunction, durationMs: number) => void;

/** A failed invocation as AWS reports it. Its `name` is the errorType, which a state machine matches. */
export class InvocationError extends Error {
  override readonly name: string;

  constructor(errorType: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = errorType;
  }
}

/**
 * Lets an invocation begin: at once, or when the promise resolves. A rejection refuses it, so the function never runs.
 * @param functionKey key in serverless.yml.
 */
export type Admission = (functionKey: string, event: unknown) => Promise<void> | undefined;

/** Lets every invocation begin at once. */
export const admitAtOnce: Admission = () => undefined;

/** A refused invocation: nothing ran. Callers translate it as AWS's services do. */
export class Throttled extends InvocationError {
  constructor() {
    super('TooManyRequestsException', 'Rate Exceeded.');
  }
}

type Handler = (event: unknown, context: Context) => unknown;

interface Invocation {
  /** Timers of the clock that the invocation waits for. */
  pendingTimers: number;
  isDead: boolean;
  die(): void;
}

const invocations = new AsyncLocalStorage<Invocation>();

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/**
 * Kills the invocation that calls it, as a crash of its process would. Its caller learns so at once
 * (`Runtime.ExitError`), and the code behind the returned promise never runs.
 */
export function dieHere(): Promise<never> {
  const invocation = invocations.getStore();
  if (invocation === undefined) throw new Error('Only an invocation can die.');
  invocation.die();
  return never();
}

/** Runs the effect, unless the invocation that asks for it has been killed. */
export function unlessDead<Result>(effect: () => Promise<Result>): Promise<Result> {
  return invocations.getStore()?.isDead === true ? never() : effect();
}

/** Runs the handlers in this process, as Lambda runs them in their own. */
export class LambdaRuntime {
  readonly #options: LambdaRuntimeOptions;
  readonly #functions: ReadonlyMap<string, LambdaFunction>;
  readonly #handlers = new Map<string, Promise<Handler>>();
  readonly #running = new Set<Invocation>();
  #admission = admitAtOnce;
  readonly #pool: ConcurrencyPool;

  constructor(options: LambdaRuntimeOptions) {
    this.#options = options;
    this.#pool = new ConcurrencyPool(options.concurrency ?? Infinity, options.functions);
    this.#functions = new Map(
      options.functions.flatMap((fn) => [
        [fn.key, fn],
        [fn.name, fn],
        [this.#arnOf(fn), fn],
      ]),
    );
  }

  /**
   * The clock for code inside the handlers. It is the same clock, but it counts the timers of each invocation. So
   * a jump in time knows the invocations it must wait for.
   */
  get clock(): Clock {
    const { clock } = this.#options;
    return {
      now: () => clock.now(),
      schedule: (delayMs, callback) => {
        const invocation = invocations.getStore();
        if (invocation === undefined) return clock.schedule(delayMs, callback);
        let isPending = true;
        const settle = () => {
          if (isPending) invocation.pendingTimers -= 1;
          isPending = false;
        };
        invocation.pendingTimers += 1;
        const cancel = clock.schedule(delayMs, () => {
          settle();
          callback();
        });
        return () => {
          settle();
          cancel();
        };
      },
    };
  }

  /** Replaces the admission of all further invocations; by default each begins at once. */
  setAdmission(admission: Admission): void {
    this.#admission = admission;
  }

  /** True if no invocation runs, except those that wait for the clock. */
  isIdle(): boolean {
    return [...this.#running].every(({ pendingTimers }) => pendingTimers > 0);
  }

  /**
   * Imports every handler, so that the first request need not wait for it.
   * @throws InvocationError for the first that cannot be imported.
   */
  async preload(): Promise<void> {
    await Promise.all(this.#options.functions.map((fn) => this.#handlerOf(fn)));
  }

  /**
   * Invokes a function by its name, key or ARN. Event and result pass through JSON.
   * @throws Throttled
   * @throws InvocationError whose name is the thrown error's, or `Sandbox.Timedout`, `Runtime.ExitError`,
   * `Runtime.ImportModuleError` or `ResourceNotFoundException`; the admission's refusal.
   */
  async invoke(functionName: string, payload: unknown): Promise<unknown> {
    const fn = this.#functions.get(functionName);
    if (fn === undefined) {
      throw new InvocationError('ResourceNotFoundException', `Function not found: ${functionName}`);
    }
    const admitted = this.#admission(fn.key, payload);
    if (admitted !== undefined) await admitted;
    const release = this.#pool.take(fn);
    if (release === undefined) throw new Throttled();
    const requestId = randomUUID();
    const beganAt = performance.now();
    try {
      const handler = await this.#handlerOf(fn);
      return await this.#run(fn, handler, toJson(payload), requestId);
    } catch (error) {
      const failure = asInvocationError(error);
      this.#options.onFailure?.(fn, requestId, failure);
      throw failure;
    } finally {
      release();
      this.#options.onEnd?.(fn, performance.now() - beganAt);
    }
  }

  #run(fn: LambdaFunction, handler: Handler, event: unknown, requestId: string): Promise<unknown> {
    const { clock } = this.#options;
    const deadlineMs = clock.now() + fn.timeoutSeconds * 1000;

    return new Promise((resolve, reject) => {
      const end = () => {
        cancelTimeout();
        this.#running.delete(invocation);
      };
      const kill = (errorType: string, reason: string) => {
        if (!this.#running.has(invocation)) return;
        invocation.isDead = true;
        end();
        reject(new InvocationError(errorType, `RequestId: ${requestId} Error: ${reason}`));
      };
      const invocation: Invocation = {
        pendingTimers: 0,
        isDead: false,
        die: () => {
          kill('Runtime.ExitError', 'Runtime exited with error: exit status 1');
        },
      };
      const cancelTimeout = clock.schedule(fn.timeoutSeconds * 1000, () => {
        kill('Sandbox.Timedout', `Task timed out after ${fn.timeoutSeconds.toFixed(2)} seconds`);
      });
      this.#running.add(invocation);
      const context = this.#contextOf(fn, requestId, () => deadlineMs - clock.now());
      invocations.run(invocation, () => {
        const handling = (async () => toJson(await handler(event, context)))();
        handling.finally(end).then(resolve, reject);
      });
    });
  }

  #handlerOf(fn: LambdaFunction): Promise<Handler> {
    let handler = this.#handlers.get(fn.key);
    if (handler === undefined) {
      handler = this.#import(fn);
      this.#handlers.set(fn.key, handler);
    }
    return handler;
  }

  async #import(fn: LambdaFunction): Promise<Handler> {
    const dot = fn.handler.lastIndexOf('.');
    const file = `${fn.handler.slice(0, dot)}.ts`;
    const url = pathToFileURL(join(this.#options.directory, file)).href;
    let module: Readonly<Record<string, unknown>>;
    try {
      module = (await import(url)) as Readonly<Record<string, unknown>>;
    } catch (cause) {
      throw new InvocationError(
        'Runtime.ImportModuleError',
        `Function ${fn.key} cannot be imported from ${file}: ${asInvocationError(cause).message}`,
        { cause },
      );
    }
    const handler = module[fn.handler.slice(dot + 1)];
    if (typeof handler === 'function') return handler as Handler;
    throw new InvocationError('Runtime.HandlerNotFound', `${fn.handler} is not exported`);
  }

  #arnOf({ name }: LambdaFunction): string {
    const { region, accountId } = this.#options;
    return `arn:aws:lambda:${region}:${accountId}:function:${name}`;
  }

  #contextOf(fn: LambdaFunction, requestId: string, remainingMs: () => number): Context {
    const context: Omit<Context, 'done' | 'fail' | 'succeed'> = {
      functionName: fn.name,
      functionVersion: '$LATEST',
      invokedFunctionArn: this.#arnOf(fn),
      memoryLimitInMB: String(fn.memoryMegabytes),
      awsRequestId: requestId,
      logGroupName: `/aws/lambda/${fn.name}`,
      logStreamName: 'local',
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => Math.max(0, remainingMs()),
    };
    // The missing members answer callbacks, which Lambda's own runtime no longer supports either.
    return context as Context;
  }
}

function toJson(value: unknown): unknown {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown);
}

function asInvocationError(error: unknown): InvocationError {
  if (error instanceof InvocationError) return error;
  if (!(error instanceof Error)) return new InvocationError(typeof error, String(error));
  const failure = new InvocationError(error.name, error.message, { cause: error });
  // AWS reports the handler's stack trace.
  if (error.stack !== undefined) failure.stack = error.stack;
  return failure;
}
