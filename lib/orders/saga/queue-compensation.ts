import { ImpossibleState } from '../../platform/errors.ts';
import type { OrderService } from '../order-service.ts';
import type { CompensationRequest } from '../recovery/saga-queues.ts';
import { failureOf, moveToPaymentFailed } from './compensate.ts';

/**
 * The saga's own retries are used up: what is owed is written down, the order goes to its resting
 * status, and the compensation queue takes over. The message is sent again by the dispatcher for as
 * long as something is owed.
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
