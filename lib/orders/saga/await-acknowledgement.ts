import {
  type InitiatedPayment,
  isOpen,
  movePayment,
  type PendingPayment,
} from '../../payments/payment.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { touchOrder } from '../moves.ts';
import { hasPendingModification } from '../order-items.ts';
import { currentPayment, withPayment } from '../order-payments.ts';
import { type OrderService, retryOnConflict } from '../order-service.ts';
import type { SagaRun } from '../saga-client.ts';
import { signalReplacedToken } from './branches.ts';
import { orderOfRun } from './task.ts';

/**
 * Waits for the gateway's acknowledgement of an open charge. The wait's token is stored in the order's item, which
 * the acknowledgement and a modification write too: each of them sees the token, or this step sees what they wrote.
 * Completes itself if the payment is settled already, or the user wants other items.
 */
export function awaitAcknowledgement(
  service: OrderService<'saga'>,
  input: SagaRun & { readonly waitToken: string },
): Promise<void> {
  return retryOnConflict(service, async () => {
    const { waitToken } = input;
    const order = await orderOfRun(service, input);
    if (order.status !== 'PAYMENT_IN_PROGRESS') return completeItself(service, waitToken);
    const payment = currentPayment(order);
    if (!isOpen(payment)) return completeItself(service, waitToken);
    const pending = payment.status === 'PENDING' ? payment : startWaiting(service, payment);
    const next = touchOrder(order, { ...withPayment(order, pending), waitToken });
    await service.orders.save(next, order);
    if (payment.status === 'PENDING' && order.waitToken !== undefined) {
      await signalReplacedToken(service, order.waitToken, waitToken);
    }
    const isTimeUp = pending.acknowledgeByMs <= service.clock.now();
    if (isTimeUp || hasPendingModification(order)) await service.saga.signal(waitToken);
  });
}

async function completeItself(service: OrderService<'saga'>, waitToken: string): Promise<void> {
  await service.saga.signal(waitToken);
}

function startWaiting(service: OrderService, payment: InitiatedPayment): PendingPayment {
  const nowMs = service.clock.now();
  return movePayment(
    payment,
    'PENDING',
    {
      methodId: payment.methodId,
      acknowledgeByMs: nowMs + service.config.PAYMENT_ACK_TIMEOUT_SECONDS * 1000,
    },
    { reason: 'OUTCOME_UNKNOWN', at: toTimestamp(nowMs) },
  );
}
