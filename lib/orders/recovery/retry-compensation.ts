import type { QueueMessage } from '../../platform/aws/queue-messages.ts';
import { consume } from '../../platform/lambda/consume.ts';
import type { Runtime } from '../../platform/lambda/runtime.ts';
import type { OrderService } from '../order-service.ts';
import { compensate } from '../saga/compensate.ts';
import { type CompensationRequest, compensationRequestSchema } from './saga-queues.ts';

/**
 * Finishes one compensation; the queue delivers it again if that fails. After the last try it becomes a
 * dead letter, and stays owed.
 * @throws any failure to finish it; report the message as failed.
 */
export function retryCompensation(
  service: OrderService<'inventory' | 'gateway'>,
  runtime: Runtime,
  message: QueueMessage,
): Promise<void> {
  const { COMPENSATION_QUEUE_URL, COMPENSATION_DEAD_LETTER_QUEUE_URL } = runtime.config;
  return consume<CompensationRequest>(
    runtime,
    {
      step: 'retry-compensation',
      queueUrl: COMPENSATION_QUEUE_URL,
      deadLetterQueueUrl: COMPENSATION_DEAD_LETTER_QUEUE_URL,
      schema: compensationRequestSchema,
      contextOf: ({ orderId, paymentId, correlationId }) => ({ orderId, paymentId, correlationId }),
      handle: (request) => compensate(service, request),
      subjectOf: ({ orderId, run, correlationId }) =>
        Promise.resolve({ orderId, run, correlationId }),
    },
    message,
  );
}
