import { orderService } from '../../lib/orders/order-service.ts';
import { compensate } from '../../lib/orders/saga/compensate.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';
import { sagaRunSchema, taskHandler } from '../../lib/platform/task.ts';

const service = perRuntime(orderService);

export const handler = taskHandler('compensate', sagaRunSchema, ({ orderId }) =>
  compensate(service(), { orderId }),
);
