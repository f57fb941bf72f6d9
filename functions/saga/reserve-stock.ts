import { orderService } from '../../lib/orders/order-service.ts';
import { reserveStock } from '../../lib/orders/saga/reserve-stock.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';
import { sagaRunSchema, taskHandler } from '../../lib/platform/task.ts';

const service = perRuntime(orderService);

export const handler = taskHandler('reserve-stock', sagaRunSchema, (input) =>
  reserveStock(service(), input),
);
