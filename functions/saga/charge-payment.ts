import { orderService } from '../../lib/orders/order-service.ts';
import { chargePayment } from '../../lib/orders/saga/charge-payment.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';
import { sagaRunSchema, taskHandler } from '../../lib/platform/task.ts';

const service = perRuntime(orderService);

export const handler = taskHandler('charge-payment', sagaRunSchema, (input) =>
  chargePayment(service(), input),
);
