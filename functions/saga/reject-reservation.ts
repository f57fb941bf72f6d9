import { orderService } from '../../lib/orders/order-service.ts';
import { rejectReservation } from '../../lib/orders/saga/reserve-stock.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';
import { failedTaskSchema, taskHandler } from '../../lib/platform/task.ts';

const service = perRuntime(orderService);

export const handler = taskHandler('reject-reservation', failedTaskSchema, ({ failure, ...run }) =>
  rejectReservation(service(), { ...run, failure: failure.Error }),
);
