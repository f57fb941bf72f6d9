import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { expireOrder } from '../../lib/orders/saga/await-payment.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';
import { sagaRunSchema, taskHandler } from '../../lib/platform/lambda/task.ts';

const service = perRuntime(orderServiceWith({}));

export const handler = taskHandler('expire-order', sagaRunSchema, (input) =>
  expireOrder(service(), input),
);
