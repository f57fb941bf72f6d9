import { isOpen, type Payment } from '../../payments/payment.ts';
import type { OrderService } from '../order-service.ts';
import { requirePayment } from '../payment-outcomes.ts';
import { waitFor } from './wait.ts';

export interface PaymentProgress {
  readonly payment: Payment;
  /** More is to come: an outcome, the confirmation, or the roll-back of this payment's order. */
  readonly isUnderWay: boolean;
}

/** Reads a payment, and its order to find out if more is to come. */
async function paymentProgress(service: OrderService, paymentId: string): Promise<PaymentProgress> {
  // The order is read before the payment. In the other order, a capture whose refund becomes owed in between
  // would look like a sale.
  const { orderId } = await requirePayment(service, paymentId);
  const order = await service.orders.getOrder(orderId);
  const payment = await requirePayment(service, paymentId);
  // A voided payment of an order that is modified meanwhile has its outcome already.
  const orderWaits = order?.status === 'PAYMENT_IN_PROGRESS' && order.paymentId === paymentId;
  return { payment, isUnderWay: isOpen(payment) || orderWaits };
}

/** Waits for a payment to be settled, at most `waitSeconds`. */
export async function awaitOutcome(
  service: OrderService,
  paymentId: string,
  waitSeconds: number,
): Promise<PaymentProgress> {
  const look = () => paymentProgress(service, paymentId);
  return waitFor(service, waitSeconds, await look(), ({ isUnderWay }) => !isUnderWay, look);
}
