import { loggerFor } from '../platform/lambda/logging.ts';
import type { Order } from './order.ts';
import type { OrderService } from './order-service.ts';

/**
 * Completes the order's open task token, if there is one, after the write that the saga is to read. If
 * that fails, the order is still due and the dispatcher signals it.
 */
export async function signalTaskToken(
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

/**
 * Starts the order's run at once. If that fails, or this process dies first, the order is still due and
 * the dispatcher starts it.
 */
export async function startSaga(service: OrderService<'saga'>, order: Order): Promise<void> {
  const { orderId, run, correlationId } = order;
  try {
    await service.saga.start({ orderId, run, correlationId });
  } catch (error) {
    loggerFor({ orderId, correlationId }).warn('Saga not started yet; the dispatcher will', {
      error: error as Error,
    });
  }
}
