import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { queueCompensation } from '../../lib/orders/saga/compensate.ts';
import { sagaQueues } from '../../lib/orders/saga-queues.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';
import { sagaRunSchema, taskHandler } from '../../lib/platform/task.ts';

const service = perRuntime(orderServiceWith({ queues: sagaQueues }));

export const handler = taskHandler(
  'queue-compensation',
  sagaRunSchema,
  ({ orderId, run, correlationId }) =>
    queueCompensation(service(), { orderId, run, correlationId }),
);
