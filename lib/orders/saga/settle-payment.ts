import { isOpen, type Payment } from '../../payments/payment.ts';
import { moveOrder } from '../moves.ts';
import type { Order, PaymentInProgressOrder, PendingModification } from '../order.ts';
import { hasPendingModification } from '../order-items.ts';
import { moveNow, type OrderService } from '../order-service.ts';
import { recordOutcome, requirePayment } from '../payment-outcomes.ts';
import type { SagaRun } from '../saga-client.ts';
import { OrderModified, OrderSettled, StillAwaitingAcknowledgement } from './signals.ts';
import { requireCaptured } from './take-payment.ts';
import { orderOfRun } from './task.ts';

/**
 * Settles the payment after the wait. An acknowledged outcome counts; otherwise the gateway is asked, and
 * a payment it has not captured is voided, so that it never can be. Returns once the payment is captured.
 * If the user wants other items, there is no further wait: the payment is voided at once if it still can
 * be, and the order is reserved again.
 * @throws PaymentNotCaptured: compensate. OrderModified: reserve the new items.
 * @throws StillAwaitingAcknowledgement: signalled too early. GatewayUnavailable, GatewayUnknown: ask
 * again.
 */
export async function settlePayment(
  service: OrderService<'gateway'>,
  input: SagaRun,
): Promise<void> {
  const order = await orderOfRun(service, input);
  if (order.status === 'PAYMENT_DONE') return;
  if (order.status !== 'PAYMENT_IN_PROGRESS') throw branchUnlessPaying(order);
  const payment = await outcomeOf(service, order, await requirePayment(service, order.paymentId));
  const { modification } = order;
  if (payment.status === 'VOIDED' && modification?.status === 'PENDING') {
    await reserveNewItems(service, order, modification);
    throw new OrderModified('The payment is voided; the new items are to be reserved.');
  }
  requireCaptured(payment);
}

function branchUnlessPaying(order: Order): Error {
  return order.status === 'PENDING_RESERVING_STOCK'
    ? new OrderModified('The order is to be reserved again.')
    : new OrderSettled(`The order is ${order.status}; no payment is to be settled for it.`);
}

async function outcomeOf(
  service: OrderService<'gateway'>,
  order: PaymentInProgressOrder,
  payment: Payment,
): Promise<Payment> {
  if (!isOpen(payment)) return payment;
  const mayStillWait =
    payment.status === 'PENDING' &&
    !hasPendingModification(order) &&
    service.clock.now() + service.deadlines.acknowledgementSkewMs < payment.acknowledgeByMs;
  if (mayStillWait) {
    throw new StillAwaitingAcknowledgement('The gateway still has time to acknowledge.');
  }
  const known = await service.gateway.findCharge(payment.paymentId);
  const outcome =
    known === undefined || known.status === 'PENDING' ? await service.gateway.void(payment) : known;
  return recordOutcome(service, payment.paymentId, outcome);
}

/** `PAYMENT_IN_PROGRESS` → `PENDING_RESERVING_STOCK`: the payment of the old items is voided. */
async function reserveNewItems(
  service: OrderService,
  order: PaymentInProgressOrder,
  modification: PendingModification,
): Promise<void> {
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
}
