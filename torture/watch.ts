import { deadlinesOf } from '../lib/orders/recovery/deadlines.ts';
import { brokenCharge, brokenSuccession, isStep } from './always.ts';
import type { Invocation, RecordedEffect } from './world/effect-log.ts';
import { GATEWAY_URL } from './world/settings.ts';
import type { World } from './world/world.ts';

const WRITES: readonly string[] = ['PutItem', 'UpdateItem', 'TransactWriteItems'];

/**
 * Looks at what is about to happen, and by whom, as the gateway is asked for money and as a run's
 * steps write: what is stored afterwards does not tell.
 * @param violated is told what is broken, in words.
 * @returns what is to be done in the place of `proceed`.
 */
export function watch<Result>(
  world: World,
  effect: RecordedEffect,
  proceed: () => Promise<Result>,
  violated: (words: readonly string[]) => void,
): () => Promise<Result> {
  const { invocation } = effect;
  if (isCharge(effect)) {
    const { payingMs } = deadlinesOf(world.runtime.config);
    // Of now: a call that arrives late is still for the payment that it was sent for.
    const paymentId = paymentOf(world, invocation);
    return () => {
      violated(brokenCharge(world.snapshot(), paymentId, world.clock.now() + payingMs));
      return proceed();
    };
  }
  if (!WRITES.includes(effect.operation) || !isStep(invocation)) return proceed;
  return async () => {
    const before = world.snapshot();
    const answer = await proceed();
    violated(brokenSuccession(before, invocation));
    return answer;
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
