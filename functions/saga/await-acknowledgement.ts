import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { awaitAcknowledgement } from '../../lib/orders/saga/charge-payment.ts';
import { sagaClient } from '../../lib/orders/start-and-wake.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';
import { taskHandler, waitingTaskSchema } from '../../lib/platform/lambda/task.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));

export const handler = taskHandler(
  'await-acknowledgement',
  waitingTaskSchema,
  ({ taskToken, ...run }) => awaitAcknowledgement(service(), { ...run, waitToken: taskToken }),
);
