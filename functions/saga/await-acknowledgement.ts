import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { awaitAcknowledgement } from '../../lib/orders/saga/await-acknowledgement.ts';
import { taskHandler, waitingTaskSchema } from '../../lib/orders/saga/task.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));

export const handler = taskHandler('await-acknowledgement', waitingTaskSchema, (input) =>
  awaitAcknowledgement(service(), input),
);
