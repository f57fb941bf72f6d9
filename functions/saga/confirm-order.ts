import { orderService } from '../../lib/orders/order-service.ts';
import { confirmOrder } from '../../lib/orders/saga/confirm-order.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';
import { sagaRunSchema, taskHandler } from '../../lib/platform/task.ts';

const service = perRuntime(orderService);

export const handler = taskHandler('confirm-order', sagaRunSchema, (input) =>
  confirmOrder(service(), input),
);
