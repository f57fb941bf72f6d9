import { TestRunner } from 'vitest';

/** Where `npm run test:stack` has deployed to; without it the tests start stacks of their own. */
export const deployed = {
  apiUrl: process.env['STACK_API_URL'] ?? '',
  companionUrl: process.env['STACK_COMPANION_URL'] ?? '',
};

export const isDeployed = deployed.apiUrl !== '';

/** Whether the tests act in the simulated world; `simulated` in the project's settings (vitest.config.ts). */
export const isSimulated = !isDeployed && process.env['TEST_STACK'] === 'simulated';

/**
 * The rest of the running test needs what only the embedded stack has, so on a deployed one it is
 * skipped, and the report says why.
 */
export function embeddedOnly(why: string): never {
  throw skipping(why);
}

function skipping(why: string): unknown {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) return new Error(`Only on the embedded stack: ${why}`);
  try {
    test.context.skip(`only on the embedded stack: ${why}`);
  } catch (skip) {
    skips.add(skip as object);
    return skip;
  }
}

const skips = new WeakSet<object>();

/** Whether this was thrown to skip a test: waiting longer will not help. */
export function isSkip(error: unknown): boolean {
  return typeof error === 'object' && error !== null && skips.has(error);
}

/** Every concurrent invocation is a process of its own there, on a machine of two cores. */
const CALLS_AT_ONCE = 6;

let underWay = 0;
const waiting: (() => void)[] = [];

/** Runs a call of the API; on a deployed stack when not too many others are under way. */
export async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (!isDeployed) return work();
  while (underWay >= CALLS_AT_ONCE) {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  }
  underWay += 1;
  try {
    return await work();
  } finally {
    underWay -= 1;
    waiting.shift()?.();
  }
}
