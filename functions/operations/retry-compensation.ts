import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { retryCompensation } from '../../lib/orders/retry-compensation.ts';
import { httpPaymentGateway } from '../../lib/payments/http-payment-gateway.ts';
import { queueHandler } from '../../lib/platform/queue.ts';
import { currentRuntime, perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(
  orderServiceWith({ inventory: inventoryClient, gateway: httpPaymentGateway }),
);

export const handler = queueHandler((message) =>
  retryCompensation(service(), currentRuntime(), message),
);
