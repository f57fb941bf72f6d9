import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { reserveStock } from '../../lib/orders/saga/reserve-stock.ts';
import { sagaRunSchema, taskHandler } from '../../lib/orders/saga/task.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ inventory: inventoryClient }));

export const handler = taskHandler('reserve-stock', sagaRunSchema, (input) =>
  reserveStock(service(), input),
);
