import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { settlePayment } from '../../lib/orders/saga/charge-payment.ts';
import { httpPaymentGateway } from '../../lib/payments/http-gateway.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';
import { sagaRunSchema, taskHandler } from '../../lib/platform/lambda/task.ts';

const service = perRuntime(orderServiceWith({ gateway: httpPaymentGateway }));

export const handler = taskHandler('settle-payment', sagaRunSchema, (input) =>
  settlePayment(service(), input),
);
