import type { QueueMessage } from '../../platform/aws/queue-messages.ts';
import { consume } from '../../platform/lambda/consume.ts';
import type { Runtime } from '../../platform/lambda/runtime.ts';
import type { OrderService } from '../order-service.ts';
import { compensate } from '../saga/compensate.ts';
import { type CompensationRequest, compensationRequestSchema } from './saga-queues.ts';

/**
 * Finishes one compensation, or tries again later; what even the last try could not finish ends as
 * a dead letter, and stays owed.
 * @throws what kept it from being finished; the message is then to be reported as failed.
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
