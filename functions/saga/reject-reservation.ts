import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaQueues } from '../../lib/orders/recovery/saga-queues.ts';
import { rejectReservation } from '../../lib/orders/saga/reject-reservation.ts';
import { failedTaskSchema, taskHandler } from '../../lib/orders/saga/task.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ inventory: inventoryClient, queues: sagaQueues }));

export const handler = taskHandler('reject-reservation', failedTaskSchema, ({ failure, ...run }) =>
  rejectReservation(service(), { ...run, failure: failure.Error }),
);
