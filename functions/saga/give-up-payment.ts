import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaQueues } from '../../lib/orders/recovery/saga-queues.ts';
import { giveUpPayment } from '../../lib/orders/saga/charge-payment.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';
import { failedTaskSchema, taskHandler } from '../../lib/platform/lambda/task.ts';

const service = perRuntime(orderServiceWith({ queues: sagaQueues }));

export const handler = taskHandler('give-up-payment', failedTaskSchema, ({ failure, ...run }) =>
  giveUpPayment(service(), { ...run, failure: failure.Error }),
);
