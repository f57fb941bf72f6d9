import { keyOfCurrent } from '../order-payments.ts';
import type { OrderService } from '../order-service.ts';
import { failPayment } from '../payment-outcomes.ts';
import type { SagaRun } from '../saga-client.ts';
import { sendDeadLetter } from './report-exhausted.ts';
import { PaymentCaptured } from './signals.ts';
import { orderOfRun } from './task.ts';

/**
 * Gives up a payment whose outcome the gateway could not be asked for: the payment fails with its void
 * owed, then a dead letter is sent. In this order a payment that cannot be written leaves one letter,
 * from this step. Repeated, the step finds the payment failed and sends the letter.
 * @throws PaymentCaptured: it was acknowledged after all; confirm.
 * @throws RunSuperseded
 */
export async function giveUpPayment(
  service: OrderService<'queues'>,
  input: SagaRun & { readonly failure: string },
): Promise<void> {
  const order = await orderOfRun(service, input);
  const given =
    order.status === 'PAYMENT_IN_PROGRESS'
      ? await failPayment(service, keyOfCurrent(order), 'PAYMENT_UNCONFIRMED')
      : undefined;
  await sendDeadLetter(service, { ...input, step: 'settle-payment' });
  const payment = given?.payment;
  if (payment?.status === 'CAPTURED' && payment.refundOwed === undefined) {
    throw new PaymentCaptured('The acknowledgement came at the last moment.');
  }
}
