import type { Order } from '../order.ts';
import type { OrderService } from '../order-service.ts';
import type { SagaRun } from '../saga-client.ts';
import { RunSuperseded } from './signals.ts';

/**
 * The order as its saga step must see it: read consistently, and only for the execution that owns it.
 * @throws RunSuperseded where a newer run took over (or the order is unknown).
 */
export async function orderOfRun(service: OrderService, input: SagaRun): Promise<Order> {
  const order = await service.orders.getOrder(input.orderId);
  if (order?.run !== input.run) {
    throw new RunSuperseded('A newer run of this order has taken over.');
  }
  return order;
}

/** Inventory's calls for this order at its present revision. */
export function reservationOf(order: Order) {
  return {
    orderId: order.orderId,
    correlationId: order.correlationId,
    revision: order.revision,
  };
}
