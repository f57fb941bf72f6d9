import { setTimeout as pause } from 'node:timers/promises';
import type { Interceptor } from '../../lib/platform/effects.ts';

/** Longest random delay before and after each effect of a handler; 0 delays nothing. */
const LONGEST_DELAY_MS = Number(process.env['TEST_DELAYS_MS'] ?? 0);

/** Delays only the effects that this regular expression matches, as in "dynamodb PutItem ordersaga-local-orders". */
const DELAYED = new RegExp(process.env['TEST_DELAYS_ON'] ?? '');

/** Makes races visible: adds random delays around the effects of an interceptor, if the environment asks for them. */
export function withDelays(intercept: Interceptor): Interceptor {
  if (LONGEST_DELAY_MS === 0) return intercept;
  return async (effect, proceed) => {
    const { kind, operation, target } = effect;
    if (!DELAYED.test(`${kind} ${operation} ${target}`)) return intercept(effect, proceed);
    await pause(Math.random() * LONGEST_DELAY_MS);
    try {
      return await intercept(effect, proceed);
    } finally {
      await pause(Math.random() * LONGEST_DELAY_MS);
    }
  };
}
