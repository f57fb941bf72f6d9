import { ReservationGone } from '../../inventory/refusals.ts';
import { isOpen, movePayment, type Payment } from '../../payments/payment.ts';
import { GatewayUnknown } from '../../payments/refusals.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { assertNever, ConcurrentUpdate, ImpossibleState } from '../../platform/errors.ts';
import { observe } from '../../platform/lambda/observe.ts';
import { touchOrder } from '../moves.ts';
import type { Order, PaymentInProgressOrder } from '../order.ts';
import { hasPendingModification } from '../order-items.ts';
import { type OrderService, retryOnConflict } from '../order-service.ts';
import { failPayment, recordOutcome, requirePayment } from '../payment-outcomes.ts';
import type { SagaRun } from '../saga-client.ts';
import { branchByStatus, branchWhilePending } from './branches.ts';
import { confirmOrder } from './confirm-order.ts';
import {
  ConfirmationUnfinished,
  ModificationRequested,
  PaymentNotCaptured,
  PaymentPending,
} from './signals.ts';
import { orderOfRun } from './task.ts';

/**
 * Saga step 2: charges with the payment id as idempotency key, and confirms a capture. Returns once the order is paid.
 * @throws ConfirmationUnfinished: the money is captured, and written down; from then on only ConfirmOrder goes on.
 * @throws PaymentNotCaptured: a definite no; compensate.
 * @throws PaymentPending, GatewayUnknown: wait for the acknowledgement.
 * @throws GatewayUnavailable: send the same key again.
 * @throws OrderModified, OrderSettled, ReservationExpired, StillAwaitingPayment: nothing is to be
 * charged.
 */
export async function takePayment(
  service: OrderService<'inventory' | 'gateway'>,
  input: SagaRun,
): Promise<void> {
  const order = await orderOfRun(service, input);
  if (order.status === 'PENDING_PAYMENT') throw branchWhilePending(service, order);
  if (order.status === 'PAYMENT_DONE') return;
  if (order.status !== 'PAYMENT_IN_PROGRESS') throw branchByStatus(order);
  if (hasPendingModification(order)) {
    throw new ModificationRequested('The user wants other items; the payment is to be voided.');
  }
  const payment = await requirePayment(service, order.paymentId);
  if (isOpen(payment)) {
    await extendHold(service, order);
    const outcome = await service.gateway.charge(payment);
    if (outcome.status === 'PENDING') {
      throw new PaymentPending('The gateway will acknowledge the payment later.');
    }
    requireCaptured(await recordOutcome(service, payment.paymentId, outcome));
  } else {
    requireCaptured(payment);
    // A late run's hold may be about to end. If it ended, confirmOrder finds out.
    await Promise.allSettled([extendHold(service, order)]);
  }
  try {
    await confirmOrder(service, input);
  } catch (cause) {
    // One name for all of them: no retrier or catch that is meant for the charge sees an error after it.
    throw new ConfirmationUnfinished('The payment is captured, and not confirmed yet.', { cause });
  }
}

/**
 * Extends the reservation of a late payment; one begun in time is outlasted by its hold (`allowanceMs`). If the stock is
 * gone, or Inventory's maximum does not allow it, an open payment fails and the gateway is not called.
 */
async function extendHold(
  service: OrderService<'inventory'>,
  order: PaymentInProgressOrder,
): Promise<void> {
  const { holdMs, allowanceMs } = service.deadlines;
  if (service.clock.now() + holdMs <= order.reservationExpiresAtMs + allowanceMs) return;
  try {
    const { status, remainingMs } = await service.inventory.extend(
      { ...order, revision: order.heldRevision },
      Math.ceil((holdMs + service.config.INVENTORY_TIMEOUT_MS) / 1000),
    );
    if (status === 'HELD' && (remainingMs ?? 0) < holdMs) {
      throw new ReservationGone('Inventory holds stock no longer.');
    }
  } catch (error) {
    if (!(error instanceof ReservationGone)) throw error;
    const payment = await failPayment(service, order.paymentId, 'RESERVATION_EXPIRED');
    // An earlier try of this step charged it, and its answer was lost: the next try reads the capture.
    if (payment.status === 'CAPTURED') {
      throw new ConcurrentUpdate('The payment was acknowledged meanwhile.', { cause: error });
    }
    throw new PaymentNotCaptured('The reservation was gone before the charge.', { cause: error });
  }
}

/** @throws PaymentNotCaptured */
export function requireCaptured(payment: Payment): void {
  switch (payment.status) {
    case 'CAPTURED':
      if (payment.refundOwed === undefined) return;
      throw new PaymentNotCaptured('The captured money is to go back.');
    case 'DECLINED':
    case 'VOIDED':
    case 'FAILED':
    case 'REFUNDED':
      throw new PaymentNotCaptured(`The payment is ${payment.status}.`);
    case 'INITIATED':
    case 'PENDING':
      throw new GatewayUnknown('The payment has no outcome.');
    default:
      assertNever(payment);
  }
}

/**
 * Makes the void or refund that a payment owes. Safe to repeat: the gateway and the payment each do it
 * once.
 * @throws GatewayUnavailable, GatewayUnknown: it is still owed.
 */
export async function voidOrRefund(
  service: OrderService<'gateway'>,
  paymentId: string,
): Promise<void> {
  let payment = await requirePayment(service, paymentId);
  if (payment.status === 'FAILED' && payment.voidOwed === true) {
    payment = await recordOutcome(service, paymentId, await service.gateway.void(payment));
    if (payment.status === 'FAILED') throw new GatewayUnknown('The void is not final yet.');
    observeDone(payment, 'VOID');
  }
  if (payment.status === 'CAPTURED' && payment.refundOwed !== undefined) {
    const { status } = await service.gateway.refund(paymentId);
    if (status !== 'REFUNDED') throw new GatewayUnknown(`The refund is not done: ${status}.`);
    await recordRefund(service, paymentId);
    observeDone(payment, 'REFUND');
  }
}

function observeDone(
  { orderId, paymentId, correlationId }: Payment,
  kind: 'VOID' | 'REFUND',
): void {
  observe('CompensationDone', { orderId, paymentId, correlationId }, { kind });
}

/** Writes the refund on payment and order in one transaction. */
function recordRefund(service: OrderService, paymentId: string): Promise<void> {
  return retryOnConflict(service, async () => {
    const payment = await requirePayment(service, paymentId);
    if (payment.status !== 'CAPTURED' || payment.refundOwed === undefined) return;
    const order = await service.orders.getOrder(payment.orderId);
    if (order === undefined) throw new ImpossibleState('The order of the payment is not stored.');
    const at = toTimestamp(service.clock.now());
    const code = payment.refundOwed.reason;
    await service.orders.saveWithPayment(
      {
        previous: order,
        next: touchOrder<Order>(order, {
          refunds: [...order.refunds, { paymentId, amount: payment.amount, at }],
        }),
      },
      {
        previous: payment,
        next: movePayment(payment, 'REFUNDED', { code }, { reason: code, at }),
      },
    );
  });
}
