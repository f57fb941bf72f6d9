import { InventoryMisunderstood, ReservationGone } from '../../inventory/refusals.ts';
import type { Payment } from '../../payments/payment.ts';
import { moveOrder } from '../moves.ts';
import type { Order, PaymentInProgressOrder } from '../order.ts';
import { closeModification } from '../order-items.ts';
import { currentPayment, keyOfCurrent } from '../order-payments.ts';
import { moveNow, type OrderService, retryOnConflict } from '../order-service.ts';
import { recordRefundDue } from '../payment-outcomes.ts';
import type { SagaRun } from '../saga-client.ts';
import { ConfirmationUnfinished, OrderSettled, PaymentNotCaptured } from './signals.ts';
import { orderOfRun, requireRun } from './task.ts';

/**
 * Turns reserved into sold at Inventory, then the order becomes `PAYMENT_DONE`: the end of takePayment and of
 * settlePayment, and a step of its own where that has to be tried again. After a capture the saga only goes forward;
 * both parts may be repeated.
 * @throws ReservationGone: Inventory's definite no; the refund is owed from then on.
 * @throws PaymentNotCaptured, OrderSettled: nothing to confirm; compensate.
 */
export async function confirmOrder(
  service: OrderService<'inventory'>,
  input: SagaRun,
): Promise<void> {
  const order = await orderOfRun(service, input);
  if (order.status !== 'PAYMENT_DONE') await confirm(service, input, requirePaying(order));
}

/**
 * Confirms an order whose capture is written down, at the end of the step that wrote it.
 * @param captured the order as it was written or read a moment ago.
 * @throws ConfirmationUnfinished: no retrier or catch that is meant for what came before sees another error.
 */
export async function confirmCaptured(
  service: OrderService<'inventory'>,
  input: SagaRun,
  captured: Order,
): Promise<void> {
  try {
    await confirm(service, input, requirePaying(captured));
  } catch (cause) {
    throw new ConfirmationUnfinished('The payment is captured, and not confirmed yet.', { cause });
  }
}

async function confirm(
  service: OrderService<'inventory'>,
  input: SagaRun,
  order: PaymentInProgressOrder,
): Promise<void> {
  requireRun(order, input);
  const { paymentId, revision } = requireKept(order);
  try {
    const sold = await service.inventory.confirm({ ...order, revision }, paymentId);
    if (sold.status !== 'CONFIRMED' || sold.paymentId !== paymentId) {
      throw new InventoryMisunderstood(`Inventory answered a reservation that is ${sold.status}.`);
    }
  } catch (error) {
    if (error instanceof ReservationGone) {
      await recordRefundDue(service, keyOfCurrent(order), 'RESERVATION_GONE');
    }
    throw error;
  }
  const markPaid = async (known: Order | undefined) => {
    const current = known ?? (await orderOfRun(service, input));
    if (current.status === 'PAYMENT_DONE') return;
    const paying = requirePaying(current);
    requireKept(paying);
    const next = moveOrder(
      paying,
      'PAYMENT_DONE',
      {
        total: paying.total,
        payments: paying.payments,
        ...closeModification(paying, 'PAYMENT_ALREADY_CAPTURED'),
      },
      moveNow(service, 'PAYMENT_CONFIRMED'),
    );
    await service.orders.save(next, paying);
  };
  await retryOnConflict(service, markPaid, order);
}

/** @throws OrderSettled */
function requirePaying(order: Order): PaymentInProgressOrder {
  if (order.status === 'PAYMENT_IN_PROGRESS') return order;
  throw new OrderSettled(`The order is ${order.status}; there is nothing to confirm.`);
}

/** @throws PaymentNotCaptured */
function requireKept(order: PaymentInProgressOrder): Payment {
  const payment = currentPayment(order);
  if (payment.status === 'CAPTURED' && payment.refundOwed === undefined) return payment;
  throw new PaymentNotCaptured(`The payment is ${payment.status}.`);
}
