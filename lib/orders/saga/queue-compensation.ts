import { ImpossibleState } from '../../platform/errors.ts';
import { type OrderService, retryOnConflict } from '../order-service.ts';
import type { CompensationRequest } from '../recovery/saga-queues.ts';
import { failureOf, moveToPaymentFailed } from './compensate.ts';

/**
 * Hands over to the compensation queue after the saga's own retries: stores what is owed, and moves the
 * order to its resting status. The dispatcher sends the message again while something is owed.
 */
export async function queueCompensation(
  service: OrderService<'queues'>,
  request: CompensationRequest,
): Promise<void> {
  if (await moveToRest(service, request.orderId)) await service.queues.requestCompensation(request);
}

/** @returns false if the payment may still be captured, or was: then nothing is to be undone. */
function moveToRest(service: OrderService, orderId: string): Promise<boolean> {
  return retryOnConflict(service, async () => {
    const order = await service.orders.getOrder(orderId);
    if (order === undefined) throw new ImpossibleState('The order is not stored.');
    if (order.status !== 'PAYMENT_IN_PROGRESS') return true;
    const failure = failureOf(order);
    if (failure === undefined) return false;
    await moveToPaymentFailed(service, order, failure, {
      releaseOwed: { revision: order.revision },
      dueAtMs: service.clock.now() + service.deadlines.obligationMs,
    });
    return true;
  });
}
