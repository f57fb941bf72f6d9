import { loggerFor } from '../../platform/lambda/logging.ts';
import { touchOrder } from '../moves.ts';
import type { Order } from '../order.ts';
import { type OrderService, retryOnConflict } from '../order-service.ts';
import { nextRunMs } from '../recovery/deadlines.ts';
import type { SagaRun } from '../saga-client.ts';

/**
 * Sends a dead letter as the saga's last step, and makes the order due soon instead of at its deadline;
 * later with every exhausted run. If that cannot be written, the deadline stands: repeating this step
 * would only send the same letter again.
 * @throws InfrastructureUnavailable: the queue may or may not have the letter.
 */
export async function reportExhausted(
  service: OrderService<'queues'>,
  exhausted: SagaRun & { readonly step: string; readonly failure: string },
): Promise<void> {
  await sendDeadLetter(service, exhausted);
  try {
    await lookAgainSoon(service, exhausted);
  } catch (error) {
    const { orderId, correlationId, step } = exhausted;
    loggerFor({ orderId, correlationId, step }).warn('Order is looked at again only later', {
      error: error as Error,
    });
  }
}

function lookAgainSoon(service: OrderService, { orderId, run }: SagaRun): Promise<void> {
  return retryOnConflict(service, async () => {
    const order = await service.orders.getOrder(orderId);
    if (order?.run !== run) return;
    const dueAtMs = 'dueAtMs' in order ? order.dueAtMs : undefined;
    const soonMs = service.clock.now() + nextRunMs(service.deadlines, order.run);
    if (dueAtMs === undefined || dueAtMs <= soonMs) return;
    await service.orders.save(touchOrder<Order>(order, { dueAtMs: soonMs }), order);
  });
}

/**
 * Sends a dead letter for a step whose retries are exhausted. The order does not change: what the system
 * owes stays due.
 * @param failure the error's name as the state machine caught it.
 * @throws InfrastructureUnavailable
 */
export async function sendDeadLetter(
  service: OrderService<'queues'>,
  exhausted: SagaRun & { readonly step: string; readonly failure: string },
): Promise<void> {
  const { orderId, run, correlationId, step, failure } = exhausted;
  await service.queues.deadLetter({ orderId, run, correlationId, step, error: failure });
}
