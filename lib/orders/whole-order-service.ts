import { inventoryClient } from '../inventory/inventory-client.ts';
import { httpPaymentGateway } from '../payments/http-payment-gateway.ts';
import { type OrderPorts, type OrderService, orderServiceWith } from './order-service.ts';
import { sagaClient } from './saga-client.ts';
import { sagaQueues } from './saga-queues.ts';

export type WholeOrderService = OrderService<keyof OrderPorts>;

/** The Order Service with every port: for the dispatcher and for the operators' commands. */
export const orderService = orderServiceWith<OrderPorts>({
  inventory: inventoryClient,
  gateway: httpPaymentGateway,
  saga: sagaClient,
  queues: sagaQueues,
});
