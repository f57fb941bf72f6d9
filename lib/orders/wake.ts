import { loggerFor } from '../platform/lambda/logging.ts';
import type { Order } from './order.ts';
import type { OrderService } from './order-service.ts';

/**
 * Wakes the saga after the write that it is to look at. Where that fails, the order is still due and
 * the dispatcher does it.
 */
export async function wake(
  service: OrderService<'saga'>,
  order: Order,
  waitToken: string | undefined,
): Promise<void> {
  if (waitToken === undefined) return;
  try {
    await service.saga.signal(waitToken);
  } catch (error) {
    loggerFor({ orderId: order.orderId, correlationId: order.correlationId }).warn(
      'Saga not signalled yet; the dispatcher will',
      { error: error as Error },
    );
  }
}
