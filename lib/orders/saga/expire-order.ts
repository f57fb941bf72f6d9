import { moveOrder } from '../moves.ts';
import { moveNow, type OrderService, retryOnConflict } from '../order-service.ts';
import type { SagaRun } from '../saga-client.ts';
import { branchByStatus, isExpired } from './branches.ts';
import { StillAwaitingPayment } from './signals.ts';
import { orderOfRun } from './task.ts';

/**
 * Expires the reservation: `PENDING_PAYMENT` → `ORDER_FAILED`, with its release owed. The order's
 * conditional write decides against the user's payment, cancellation or modification. If one of these
 * came first, the step branches by the order's new status.
 * @throws PaymentStarted, OrderModified, OrderSettled, StillAwaitingPayment
 */
export function expireOrder(service: OrderService, input: SagaRun): Promise<void> {
  return retryOnConflict(service, async () => {
    const order = await orderOfRun(service, input);
    if (order.status !== 'PENDING_PAYMENT') throw branchByStatus(order);
    if (!isExpired(service, order)) {
      throw new StillAwaitingPayment('The reservation still has time.');
    }
    const next = moveOrder(
      order,
      'ORDER_FAILED',
      {
        reason: 'RESERVATION_EXPIRED',
        releaseOwed: { revision: order.revision },
        dueAtMs: service.clock.now() + service.deadlines.dispatchMs,
      },
      moveNow(service, 'RESERVATION_EXPIRED'),
    );
    return service.orders.save(next, order);
  });
}
