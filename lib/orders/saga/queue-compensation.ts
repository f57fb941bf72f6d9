import { ImpossibleState } from '../../platform/errors.ts';
import type { OrderService } from '../order-service.ts';
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
  const order = await service.orders.getOrder(request.orderId);
  if (order === undefined) throw new ImpossibleState('The order is not stored.');
  if (order.status === 'PAYMENT_IN_PROGRESS') {
    const failure = await failureOf(service, order);
    if (failure === undefined) return;
    await moveToPaymentFailed(service, order, failure, {
      releaseOwed: { revision: order.revision },
      dueAtMs: service.clock.now() + service.deadlines.obligationMs,
    });
  }
  await service.queues.requestCompensation(request);
}
