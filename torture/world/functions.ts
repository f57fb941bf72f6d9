import { fileURLToPath } from 'node:url';
import type { Clock } from '../../lib/platform/clock.ts';
import type { Admission, LambdaRuntime } from '../../local/stack/lambda-runtime.ts';
import type { ServiceDefinition } from '../../local/stack/service-definition.ts';
import { createLambdaRuntime } from '../../local/stack/stack-parts.ts';
import type { EffectLog, Invocation } from './effect-log.ts';

/** The project's folder. */
export const DIRECTORY = fileURLToPath(new URL('../..', import.meta.url));

export interface FunctionsOptions {
  readonly clock: Clock;
  readonly effects: EffectLog;
  /** Functions that run at the same time; undefined: no limit. */
  readonly concurrency: number | undefined;
}

/** Runs the real handlers in the stack's Lambda runtime, and records which of them run. */
export class Functions {
  readonly #lambda: LambdaRuntime;
  readonly #effects: EffectLog;
  /** Keys in serverless.yml, by key and by deployed name. */
  readonly #keys: ReadonlyMap<string, string>;
  readonly #running = new Set<Invocation>();

  constructor(service: ServiceDefinition, { clock, effects, concurrency }: FunctionsOptions) {
    const log = { append: () => undefined };
    const where = { clock, directory: DIRECTORY };
    this.#lambda = createLambdaRuntime(where, service, log, { concurrency });
    this.#effects = effects;
    this.#keys = new Map(
      Object.entries(service.functions).flatMap(([key, { name }]) => [
        [key, key],
        [name, key],
      ]),
    );
  }

  /** Clock for code inside the handlers. */
  get clock(): Clock {
    return this.#lambda.clock;
  }

  /** Keys of the functions that are running. */
  get running(): readonly string[] {
    return [...this.#running].map(({ functionKey }) => functionKey);
  }

  /** Replaces the admission of all further invocations. */
  setAdmission(admission: Admission): void {
    this.#lambda.setAdmission(admission);
  }

  /** Imports all code, including lazy imports, so that the clock never moves during an import. */
  async preload(): Promise<void> {
    await this.#lambda.preload();
    await import('../../lib/platform/aws/queue-requests.ts');
    await import('../../lib/platform/aws/read-parameter.ts');
    await import('../../lib/platform/http/idempotency-library.ts');
  }

  /** Invokes a function by its key or name; rejects with the runtime's InvocationError. */
  readonly invoke = async (functionName: string, event: unknown): Promise<unknown> => {
    const invocation = { functionKey: this.#keys.get(functionName) ?? functionName, event };
    this.#running.add(invocation);
    try {
      return await this.#effects.asCaller(invocation, () =>
        this.#lambda.invoke(functionName, event),
      );
    } finally {
      this.#running.delete(invocation);
    }
  };
}
