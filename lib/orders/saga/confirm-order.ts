import { InventoryUnavailable, ReservationGone } from '../../inventory/refusals.ts';
import { moveOrder } from '../moves.ts';
import { closeModification } from '../order-items.ts';
import { moveNow, type OrderService } from '../order-service.ts';
import { recordRefundDue, requirePayment } from '../payment-outcomes.ts';
import type { SagaRun } from '../saga-client.ts';
import { OrderSettled, PaymentNotCaptured } from './signals.ts';
import { orderOfRun } from './task.ts';

/**
 * Turns reserved into sold at Inventory, then the order becomes `PAYMENT_DONE`: the end of takePayment, and a step of
 * its own where that has to be tried again. After a capture the saga only goes forward; both parts may be repeated.
 * @throws ReservationGone: Inventory's definite no; the refund is owed from then on.
 * @throws PaymentNotCaptured, OrderSettled: nothing to confirm; compensate.
 */
export async function confirmOrder(
  service: OrderService<'inventory'>,
  input: SagaRun,
): Promise<void> {
  const order = await orderOfRun(service, input);
  if (order.status === 'PAYMENT_DONE') return;
  if (order.status !== 'PAYMENT_IN_PROGRESS') {
    throw new OrderSettled(`The order is ${order.status}; there is nothing to confirm.`);
  }
  const payment = await requirePayment(service, order.paymentId);
  if (payment.status !== 'CAPTURED' || payment.refundOwed !== undefined) {
    throw new PaymentNotCaptured(`The payment is ${payment.status}.`);
  }
  try {
    const sold = await service.inventory.confirm(
      { ...order, revision: payment.revision },
      payment.paymentId,
    );
    if (sold.status !== 'CONFIRMED' || sold.paymentId !== payment.paymentId) {
      throw new InventoryUnavailable(`Inventory answered a reservation that is ${sold.status}.`);
    }
  } catch (error) {
    if (error instanceof ReservationGone) {
      await recordRefundDue(service, payment.paymentId, 'RESERVATION_GONE');
    }
    throw error;
  }
  const next = moveOrder(
    order,
    'PAYMENT_DONE',
    {
      total: order.total,
      paymentId: order.paymentId,
      ...closeModification(order, 'PAYMENT_ALREADY_CAPTURED'),
    },
    moveNow(service, 'PAYMENT_CONFIRMED'),
  );
  await service.orders.save(next, order);
}
