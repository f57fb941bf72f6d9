import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { compensate } from '../../lib/orders/saga/compensate.ts';
import { sagaRunSchema, taskHandler } from '../../lib/orders/saga/task.ts';
import { httpPaymentGateway } from '../../lib/payments/http-gateway.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(
  orderServiceWith({ inventory: inventoryClient, gateway: httpPaymentGateway }),
);

export const handler = taskHandler('compensate', sagaRunSchema, ({ orderId }) =>
  compensate(service(), { orderId }),
);
