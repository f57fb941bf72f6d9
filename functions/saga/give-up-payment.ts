import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaQueues } from '../../lib/orders/recovery/saga-queues.ts';
import { giveUpPayment } from '../../lib/orders/saga/give-up-payment.ts';
import { failedTaskSchema, taskHandler } from '../../lib/orders/saga/task.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ queues: sagaQueues }));

export const handler = taskHandler('give-up-payment', failedTaskSchema, ({ failure, ...run }) =>
  giveUpPayment(service(), { ...run, failure: failure.Error }),
);
