import type { OrderService } from './order-service.ts';

/*
 * A step of the saga that waits stores its task token in an item of its own, then looks at the order. A decision
 * (payment, modification, cancellation, acknowledgement, the dispatcher's time) is written on the order; then the
 * token is looked for, and signalled. Both look consistently, so at least one of them sees the other:
 *
 *   step       store ── look                    store ── look              store ── look
 *   decision                write ── look   write ───────── look   write ── look
 *   signals    the decision                 both                   the step, itself
 *
 * If the decision finds no token, then write < its look < store < the step's look: the step sees the decision. The
 * step's look may be its own write, which is refused where the decision came first; then it reads.
 *
 *   the decision finds           so                       and the live wait
 *   the token of a late          it was stored before     stores its own later, and then looks
 *   duplicate, or of a state     the live one
 *   or run that was left
 *
 * A token of the past wakes nobody: Step Functions answers that its task is closed. If a replaced run still waits on
 * it, that run looks at the order and ends (RunSuperseded). A late duplicate never takes the live token's place: only
 * a newer attempt is stored over an older one.
 */

/**
 * Signals the step that waits for a decision on the order, if there is one. Call it after the decision is written.
 * @throws InfrastructureUnavailable: the outcome is unknown; the work stays due.
 */
export async function signalWait(service: OrderService<'saga'>, orderId: string): Promise<void> {
  const token = await service.orders.getWaitToken(orderId);
  if (token !== undefined) await service.saga.signal(token);
}
