import { MAX_RUNS_PER_ORDER } from '../../limits.ts';
import { isOpen } from '../../payments/payment.ts';
import { moveOrder } from '../moves.ts';
import type { Order, PaymentInProgressOrder } from '../order.ts';
import { hasPendingModification } from '../order-items.ts';
import { currentPayment, keyOfCurrent } from '../order-payments.ts';
import { moveNow, type OrderService, retryOnConflict } from '../order-service.ts';
import { type PaymentInOrder, recordOutcome } from '../payment-outcomes.ts';
import type { SagaRun } from '../saga-client.ts';
import { startWaiting } from './await-acknowledgement.ts';
import { confirmCaptured } from './confirm-order.ts';
import {
  OrderModified,
  OrderSettled,
  PaymentPending,
  StillAwaitingAcknowledgement,
} from './signals.ts';
import { isHeldLongEnough, requireCaptured } from './take-payment.ts';
import { orderOfRun } from './task.ts';

/**
 * Settles the payment after the wait, or after a charge that crashed. An acknowledged outcome counts; otherwise the
 * gateway is asked, and a payment it has not captured is voided, so that it never can be. Confirms a capture, and
 * returns once the order is paid. If the user wants other items, there is no further wait: the payment is voided at
 * once if it still can be, and the order is reserved again.
 * @throws ConfirmationUnfinished: the money is captured, and written down; from then on only ConfirmOrder goes on.
 * @throws PaymentNotCaptured: compensate. OrderModified: reserve the new items.
 * @throws PaymentPending: the gateway has the charge, and nobody has waited for its acknowledgement yet.
 * @throws StillAwaitingAcknowledgement: signalled too early. GatewayUnavailable, GatewayUnknown: ask
 * again.
 */
export async function settlePayment(
  service: OrderService<'inventory' | 'gateway'>,
  input: SagaRun,
): Promise<void> {
  const found = await orderOfRun(service, input);
  if (found.status === 'PAYMENT_DONE') return;
  if (found.status !== 'PAYMENT_IN_PROGRESS') throw branchUnlessPaying(found);
  const { order, payment } = await outcomeOf(service, found);
  // The user may have asked for them while the gateway was asked.
  if (payment.status === 'VOIDED') await reserveNewItems(service, input);
  requireCaptured(payment);
  await confirmCaptured(service, input, order);
}

function branchUnlessPaying(order: Order): Error {
  return order.status === 'PENDING_RESERVING_STOCK'
    ? new OrderModified('The order is to be reserved again.')
    : new OrderSettled(`The order is ${order.status}; no payment is to be settled for it.`);
}

async function outcomeOf(
  service: OrderService<'gateway'>,
  order: PaymentInProgressOrder,
): Promise<PaymentInOrder> {
  const payment = currentPayment(order);
  if (!isOpen(payment)) return { order, payment };
  const mayStillWait =
    payment.status === 'PENDING' &&
    !hasPendingModification(order) &&
    service.clock.now() + service.deadlines.acknowledgementSkewMs < payment.acknowledgeByMs;
  if (mayStillWait) {
    throw new StillAwaitingAcknowledgement('The gateway still has time to acknowledge.');
  }
  const known = await service.gateway.findCharge(payment);
  if (known?.status === 'PENDING' && payment.status === 'INITIATED' && mayWait(service, order)) {
    // Written before the wait: however often that fails, it is over when its time is up.
    await startWaiting(service, order, payment);
    throw new PaymentPending('The gateway has the charge, and will acknowledge it later.');
  }
  const outcome =
    known === undefined || known.status === 'PENDING'
      ? await service.gateway.void({ ...payment, orderId: order.orderId })
      : known;
  return recordOutcome(service, keyOfCurrent(order), outcome, order);
}

/** True if the stock is held and a run is left for the wait, and the user does not want other items. */
function mayWait(service: OrderService, order: PaymentInProgressOrder): boolean {
  return (
    !hasPendingModification(order) &&
    order.run < MAX_RUNS_PER_ORDER &&
    isHeldLongEnough(service, order)
  );
}

/**
 * `PAYMENT_IN_PROGRESS` → `PENDING_RESERVING_STOCK`, if the user wants other items: the payment of the old ones is
 * voided.
 * @throws OrderModified once that is written.
 */
function reserveNewItems(service: OrderService, input: SagaRun): Promise<void> {
  return retryOnConflict(service, async () => {
    const order = await orderOfRun(service, input);
    if (order.status !== 'PAYMENT_IN_PROGRESS') throw branchUnlessPaying(order);
    const { modification } = order;
    // A stale attempt may find the next payment, which is not voided.
    if (modification?.status !== 'PENDING' || currentPayment(order).status !== 'VOIDED') return;
    const next = moveOrder(
      order,
      'PENDING_RESERVING_STOCK',
      {
        purpose: 'MODIFICATION',
        modification,
        total: order.total,
        former: { revision: order.heldRevision, expiresAtMs: order.reservationExpiresAtMs },
        revision: order.revision + 1,
        dueAtMs: service.clock.now() + service.deadlines.reservingMs,
      },
      moveNow(service, 'PAYMENT_VOIDED'),
    );
    await service.orders.save(next, order);
    throw new OrderModified('The payment is voided; the new items are to be reserved.');
  });
}
