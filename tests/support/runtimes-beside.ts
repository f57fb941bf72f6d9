import { passThrough } from '../../lib/platform/effects.ts';
import type { Runtime, RuntimeOverrides } from '../../lib/platform/lambda/runtime.ts';

type Overrides = Pick<RuntimeOverrides, 'clock' | 'intercept'>;

/**
 * Returns runtimes for a stack's tests and tools. Without overrides it is always the same one, because every
 * runtime has connections of its own.
 */
export function runtimesBeside(
  make: (overrides: Overrides) => Runtime,
): (overrides?: Overrides) => Runtime {
  let shared: Runtime | undefined;
  return (overrides) => {
    if (overrides !== undefined) return make({ intercept: passThrough, ...overrides });
    shared ??= make({ intercept: passThrough });
    return shared;
  };
}
