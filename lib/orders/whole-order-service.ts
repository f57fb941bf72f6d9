import { inventoryClient } from '../inventory/inventory-client.ts';
import { httpPaymentGateway } from '../payments/http-gateway.ts';
import { type OrderPorts, type OrderService, orderServiceWith } from './order-service.ts';
import { sagaQueues } from './recovery/saga-queues.ts';
import { sagaClient } from './saga-client.ts';

export type WholeOrderService = OrderService<keyof OrderPorts>;

/** The Order Service with every port, for the dispatcher and the operators' commands. */
export const orderService = orderServiceWith<OrderPorts>({
  inventory: inventoryClient,
  gateway: httpPaymentGateway,
  saga: sagaClient,
  queues: sagaQueues,
});
