import type { Order } from '../order.ts';
import type { OrderService } from '../order-service.ts';
import type { SagaRun } from '../saga-client.ts';
import { RunSuperseded } from './signals.ts';

/**
 * The order, read consistently, for the execution that owns it.
 * @throws RunSuperseded if a newer run took over, or the order is unknown.
 */
export async function orderOfRun(service: OrderService, input: SagaRun): Promise<Order> {
  const order = await service.orders.getOrder(input.orderId);
  if (order?.run !== input.run) {
    throw new RunSuperseded('A newer run of this order has taken over.');
  }
  return order;
}

/** Identifies the order's reservation at its present revision to Inventory. */
export function reservationOf(order: Order) {
  return {
    orderId: order.orderId,
    correlationId: order.correlationId,
    revision: order.revision,
  };
}
