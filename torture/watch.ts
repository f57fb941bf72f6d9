import { deadlinesOf } from '../lib/orders/recovery/deadlines.ts';
import { brokenCharge } from './always.ts';
import type { Invocation, RecordedEffect } from './world/effect-log.ts';
import { GATEWAY_URL } from './world/settings.ts';
import type { World } from './world/world.ts';

/**
 * Checks a charge just before it, because the state at rest does not show it.
 * @param violated receives one message per violation.
 * @returns the call to make in the place of `proceed`.
 */
export function watch<Result>(
  world: World,
  effect: RecordedEffect,
  proceed: () => Promise<Result>,
  violated: (words: readonly string[]) => void,
): () => Promise<Result> {
  if (!isCharge(effect)) return proceed;
  const { payingMs } = deadlinesOf(world.runtime.config);
  // Reads the payment now: a late call is still for the payment that it was sent for.
  const paymentId = paymentOf(world, effect.invocation);
  return () => {
    violated(brokenCharge(world.snapshot(), paymentId, world.clock.now() + payingMs));
    return proceed();
  };
}

/** The order's payment at this moment. */
function paymentOf(world: World, { event }: Invocation): string | undefined {
  const { orderId } = event as { readonly orderId?: string };
  return world.snapshot().orders.find((order) => order.orderId === orderId)?.paymentId;
}

function isCharge({ operation, target }: RecordedEffect): boolean {
  return operation === 'POST' && target === `${GATEWAY_URL}/charges`;
}
