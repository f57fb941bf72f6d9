import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaQueues } from '../../lib/orders/recovery/saga-queues.ts';
import { queueCompensation } from '../../lib/orders/saga/queue-compensation.ts';
import { sagaRunSchema, taskHandler } from '../../lib/orders/saga/task.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ queues: sagaQueues }));

export const handler = taskHandler(
  'queue-compensation',
  sagaRunSchema,
  ({ orderId, run, correlationId }) =>
    queueCompensation(service(), { orderId, run, correlationId }),
);
