import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { settlePayment } from '../../lib/orders/saga/settle-payment.ts';
import { sagaRunSchema, taskHandler } from '../../lib/orders/saga/task.ts';
import { httpPaymentGateway } from '../../lib/payments/http-gateway.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(
  orderServiceWith({ inventory: inventoryClient, gateway: httpPaymentGateway }),
);

export const handler = taskHandler('settle-payment', sagaRunSchema, (input) =>
  settlePayment(service(), input),
);
