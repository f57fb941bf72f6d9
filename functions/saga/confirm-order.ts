import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { confirmOrder } from '../../lib/orders/saga/confirm-order.ts';
import { sagaRunSchema, taskHandler } from '../../lib/orders/saga/task.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(orderServiceWith({ inventory: inventoryClient }));

export const handler = taskHandler('confirm-order', sagaRunSchema, (input) =>
  confirmOrder(service(), input),
);
