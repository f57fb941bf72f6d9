import { z } from 'zod';
import { delayNextTry, observeFailure, type QueueMessage } from '../platform/queue-messages.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { OrderService } from './order-service.ts';
import { compensate } from './saga/compensate.ts';

const requestSchema = z.object({
  orderId: z.string(),
  run: z.int(),
  correlationId: z.string(),
  paymentId: z.string().optional(),
});

/**
 * Finishes one compensation. Where it cannot yet, the message becomes visible again after a delay
 * that doubles with every try, until the queue hands it to its dead-letter queue.
 * @throws what kept it from being finished; the record is then to be reported as failed.
 */
export async function retryCompensation(
  service: OrderService,
  runtime: Runtime,
  record: QueueMessage,
): Promise<void> {
  const request = requestSchema.parse(JSON.parse(record.body));
  const { orderId, correlationId, paymentId } = request;
  const about = { orderId, correlationId, operation: 'retry-compensation' };
  try {
    await compensate(service, paymentId === undefined ? { orderId } : { orderId, paymentId });
  } catch (error) {
    observeFailure(about, record, error);
    await delayNextTry(runtime, runtime.config.COMPENSATION_QUEUE_URL, record);
    throw error;
  }
}
