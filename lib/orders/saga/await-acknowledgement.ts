import {
  type InitiatedPayment,
  isOpen,
  movePayment,
  type PendingPayment,
} from '../../payments/payment.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { touchOrder } from '../moves.ts';
import type { PaymentInProgressOrder } from '../order.ts';
import { hasPendingModification } from '../order-items.ts';
import { currentPayment, withPayment } from '../order-payments.ts';
import { type OrderService, retryOnConflict } from '../order-service.ts';
import type { SagaRun } from '../saga-client.ts';
import type { Wait } from '../stored-wait.ts';
import { orderOfRun, storeWait } from './task.ts';

/**
 * Waits for the gateway's acknowledgement of an open charge, which signals the token that this step stores first.
 * Completes itself if the payment is settled already, or the user wants other items.
 * @throws WaitSuperseded
 */
export async function awaitAcknowledgement(
  service: OrderService<'saga'>,
  input: SagaRun & Wait,
): Promise<void> {
  const { token } = input;
  await storeWait(service, input);
  return retryOnConflict(service, async () => {
    const order = await orderOfRun(service, input);
    if (order.status !== 'PAYMENT_IN_PROGRESS') return completeItself(service, token);
    const payment = currentPayment(order);
    if (!isOpen(payment)) return completeItself(service, token);
    const { acknowledgeByMs } =
      payment.status === 'PENDING' ? payment : await startWaiting(service, order, payment);
    const isTimeUp = acknowledgeByMs <= service.clock.now();
    if (isTimeUp || hasPendingModification(order)) await completeItself(service, token);
  });
}

async function completeItself(service: OrderService<'saga'>, token: string): Promise<void> {
  await service.saga.signal(token);
}

/** Writes that the payment is acknowledged later, if at all; from now on its time runs. */
export async function startWaiting(
  service: OrderService,
  order: PaymentInProgressOrder,
  payment: InitiatedPayment,
): Promise<PendingPayment> {
  const nowMs = service.clock.now();
  const pending = movePayment(
    payment,
    'PENDING',
    {
      methodId: payment.methodId,
      acknowledgeByMs: nowMs + service.config.PAYMENT_ACK_TIMEOUT_SECONDS * 1000,
    },
    { reason: 'OUTCOME_UNKNOWN', at: toTimestamp(nowMs) },
  );
  await service.orders.save(touchOrder(order, withPayment(order, pending)), order);
  return pending;
}
