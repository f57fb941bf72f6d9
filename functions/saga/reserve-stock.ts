import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { reserveStock } from '../../lib/orders/saga/reserve-stock.ts';
import { taskHandler, waitingTaskSchema } from '../../lib/orders/saga/task.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ inventory: inventoryClient, saga: sagaClient }));

export const handler = taskHandler('reserve-stock', waitingTaskSchema, (input) =>
  reserveStock(service(), input),
);
