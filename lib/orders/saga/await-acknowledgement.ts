import {
  isOpen,
  movePayment,
  type Payment,
  type PendingPayment,
  touchPayment,
} from '../../payments/payment.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { hasPendingModification } from '../order-items.ts';
import { type OrderService, retryOnConflict } from '../order-service.ts';
import { requirePayment } from '../payment-outcomes.ts';
import type { SagaRun } from '../saga-client.ts';
import { signalReplacedToken } from './branches.ts';
import { orderOfRun } from './task.ts';

/**
 * Waits for the gateway's acknowledgement of an open charge. The wait's token is stored on the payment,
 * which the acknowledgement writes. Completes itself if the payment is settled already.
 */
export function awaitAcknowledgement(
  service: OrderService<'saga'>,
  input: SagaRun & { readonly waitToken: string },
): Promise<void> {
  return retryOnConflict(service, async () => {
    const order = await orderOfRun(service, input);
    const payment =
      order.status === 'PAYMENT_IN_PROGRESS'
        ? await requirePayment(service, order.paymentId)
        : undefined;
    if (payment === undefined || !isOpen(payment)) {
      await service.saga.signal(input.waitToken);
      return;
    }
    await service.payments.save(waiting(service, payment, input.waitToken), payment);
    if (payment.status === 'PENDING') {
      await signalReplacedToken(service, payment.waitToken, input.waitToken);
    }
    // The token is stored. A modification written from now on signals it; an earlier one is read here.
    const asked = await service.orders.getOrder(order.orderId);
    const isTimeUp = payment.status === 'PENDING' && payment.acknowledgeByMs <= service.clock.now();
    if (isTimeUp || (asked !== undefined && hasPendingModification(asked))) {
      await service.saga.signal(input.waitToken);
    }
  });
}

function waiting(
  service: OrderService,
  payment: Payment & { status: 'INITIATED' | 'PENDING' },
  waitToken: string,
): PendingPayment {
  if (payment.status === 'PENDING') return touchPayment(payment, { waitToken });
  const nowMs = service.clock.now();
  return movePayment(
    payment,
    'PENDING',
    {
      waitToken,
      methodToken: payment.methodToken,
      acknowledgeByMs: nowMs + service.config.PAYMENT_ACK_TIMEOUT_SECONDS * 1000,
    },
    { reason: 'OUTCOME_UNKNOWN', at: toTimestamp(nowMs) },
  );
}
