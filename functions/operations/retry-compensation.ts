import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { retryCompensation } from '../../lib/orders/recovery/retry-compensation.ts';
import { httpPaymentGateway } from '../../lib/payments/http-gateway.ts';
import { queueHandler } from '../../lib/platform/lambda/queue-handler.ts';
import { currentRuntime, perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(
  orderServiceWith({ inventory: inventoryClient, gateway: httpPaymentGateway }),
);

export const handler = queueHandler((message) =>
  retryCompensation(service(), currentRuntime(), message),
);
