import { orderService } from '../../lib/orders/order-service.ts';
import { awaitAcknowledgement } from '../../lib/orders/saga/charge-payment.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';
import { taskHandler, waitingTaskSchema } from '../../lib/platform/task.ts';

const service = perRuntime(orderService);

export const handler = taskHandler(
  'await-acknowledgement',
  waitingTaskSchema,
  ({ taskToken, ...run }) => awaitAcknowledgement(service(), { ...run, waitToken: taskToken }),
);
