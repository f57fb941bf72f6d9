import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { expireOrder } from '../../lib/orders/saga/expire-order.ts';
import { sagaRunSchema, taskHandler } from '../../lib/orders/saga/task.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({}));

export const handler = taskHandler('expire-order', sagaRunSchema, (input) =>
  expireOrder(service(), input),
);
