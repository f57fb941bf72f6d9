import { randomBytes } from 'node:crypto';
import { StepFunctionsError } from './errors.ts';
import type { TaskEvents } from './history.ts';
import type { InterpreterScope, Json } from './interpreter.ts';

/** Rejects a task. The interpreter matches Retry and Catch by `name` and reports `message`. */
class TaskFailure extends Error {
  constructor(error: string, cause: string) {
    super(cause);
    this.name = error;
  }
}

/**
 * One attempt of a Task state. It closes exactly once: by a result, a failure, a time-out, or the end of its
 * execution or branch. Later signals change nothing.
 */
export class Task {
  /** Never settles if a time-out or the end of its branch closes the task. */
  readonly result: Promise<Json>;
  readonly #scope: InterpreterScope;
  readonly #events: TaskEvents;
  readonly #resolve: (output: Json) => void;
  readonly #reject: (failure: TaskFailure) => void;
  readonly #forgetScope: () => void;
  #isOpen = true;
  #heartbeatMs: number | undefined;
  #cancelHeartbeat = (): void => undefined;

  constructor(scope: InterpreterScope, events: TaskEvents) {
    this.#scope = scope;
    this.#events = events;
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    this.result = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#isOpen = !scope.isClosed;
    this.#forgetScope = scope.onClose(() => {
      this.#close();
    });
    scope.onNextTimeout(() => {
      this.#timeOut('States.Timeout');
    });
  }

  isOpen(): boolean {
    return this.#isOpen;
  }

  succeed(output: Json): void {
    this.#close();
    this.#events.succeeded(output);
    this.#resolve(output);
  }

  fail(error: string, cause: string): void {
    this.#close();
    this.#events.failed(error, cause);
    this.#reject(new TaskFailure(error, cause));
  }

  /** Expects a heartbeat every `seconds` from now on. */
  expectHeartbeats(seconds: number): void {
    this.#heartbeatMs = seconds * 1000;
    this.heartbeat();
  }

  heartbeat(): void {
    if (this.#heartbeatMs === undefined) return;
    this.#cancelHeartbeat();
    this.#cancelHeartbeat = this.#scope.schedule(this.#heartbeatMs, () => {
      this.#timeOut('States.HeartbeatTimeout');
      this.#reject(new TaskFailure('States.HeartbeatTimeout', ''));
    });
  }

  #timeOut(error: string): void {
    if (!this.#isOpen) return;
    this.#close();
    this.#events.timedOut(error);
  }

  #close(): void {
    this.#isOpen = false;
    this.#cancelHeartbeat();
    this.#forgetScope();
  }
}

/** Every task token that this process issued, with its task. */
export class TaskTokens {
  readonly #tasks = new Map<string, Task>();
  readonly #newToken: () => string;
  #issued: string | undefined;

  constructor(newToken = () => randomBytes(192).toString('base64url')) {
    this.#newToken = newToken;
  }

  /** Token of the task whose parameters are being evaluated. */
  issue(): string {
    this.#issued ??= this.#newToken();
    return this.#issued;
  }

  /**
   * Assigns the issued token to its task: the parameters' evaluation and the task's start are one synchronous
   * stretch.
   */
  assignTo(task: Task): void {
    this.#tasks.set(this.issue(), task);
    this.#issued = undefined;
  }

  /** Number of tasks that wait for a token. */
  get openTasks(): number {
    return [...this.#tasks.values()].filter((task) => task.isOpen()).length;
  }

  /** Tells if a task waits for the token. */
  isWaitedFor(token: string): boolean {
    return this.#tasks.get(token)?.isOpen() ?? false;
  }

  /** @throws StepFunctionsError InvalidToken, or TaskTimedOut if the task is closed. */
  openTask(token: string): Task {
    const task = this.#tasks.get(token);
    if (task === undefined) {
      throw new StepFunctionsError('InvalidToken', "Invalid Token: 'Invalid token'");
    }
    if (!task.isOpen()) {
      throw new StepFunctionsError(
        'TaskTimedOut',
        "Task Timed Out: 'Provided task does not exist anymore'",
      );
    }
    return task;
  }
}
