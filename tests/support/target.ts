import { TestRunner } from 'vitest';

/** Address of the stack that `npm run test:stack` deployed; if empty, the tests start their own stacks. */
export const deployed = {
  apiUrl: process.env['STACK_API_URL'] ?? '',
  companionUrl: process.env['STACK_COMPANION_URL'] ?? '',
};

export const isDeployed = deployed.apiUrl !== '';

/** True in the simulated world, as the vitest project's settings say (vitest.config.ts). */
export const isSimulated = !isDeployed && process.env['TEST_STACK'] === 'simulated';

/** Skips the rest of the running test, which needs the embedded stack; the report gives the reason. */
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

/** Tells if an error skips a test, so that a waiting loop gives up. */
export function isSkip(error: unknown): boolean {
  return typeof error === 'object' && error !== null && skips.has(error);
}

/** On the deployed stack every concurrent invocation is a process, on a machine of two cores. */
const CALLS_AT_ONCE = 6;

let underWay = 0;
const waiting: (() => void)[] = [];

/** Runs a call of the API; on a deployed stack, only a few at a time. */
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
