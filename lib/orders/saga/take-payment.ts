import { ReservationGone } from '../../inventory/refusals.ts';
import { isOpen, type Payment } from '../../payments/payment.ts';
import { GatewayUnknown } from '../../payments/refusals.ts';
import { assertNever, ConcurrentUpdate } from '../../platform/errors.ts';
import { observe } from '../../platform/lambda/observe.ts';
import type { Order, PaymentInProgressOrder } from '../order.ts';
import { hasPendingModification } from '../order-items.ts';
import { currentPayment, keyOfCurrent, type PaymentKey } from '../order-payments.ts';
import type { OrderService } from '../order-service.ts';
import {
  failPayment,
  type PaymentInOrder,
  paymentInOrder,
  recordOutcome,
  recordRefund,
} from '../payment-outcomes.ts';
import type { SagaRun } from '../saga-client.ts';
import { branchByStatus, branchWhilePending } from './branches.ts';
import { confirmCaptured } from './confirm-order.ts';
import { ModificationRequested, PaymentNotCaptured, PaymentPending } from './signals.ts';
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
  await confirmCaptured(service, input, await capture(service, order));
}

/** @returns the order, with its current payment captured and written down. */
async function capture(
  service: OrderService<'inventory' | 'gateway'>,
  order: PaymentInProgressOrder,
): Promise<Order> {
  const payment = currentPayment(order);
  if (!isOpen(payment)) {
    requireCaptured(payment);
    // A late run's hold may be about to end. If it ended, confirming finds out.
    await Promise.allSettled([extendHold(service, order)]);
    return order;
  }
  await extendHold(service, order);
  const methodToken = await service.orders.getMethod(payment.methodId);
  if (methodToken === undefined) {
    throw await givenUp(service, order, 'PAYMENT_METHOD_EXPIRED');
  }
  const outcome = await service.gateway.charge({
    ...payment,
    orderId: order.orderId,
    methodToken,
  });
  if (outcome.status === 'PENDING') {
    throw new PaymentPending('The gateway will acknowledge the payment later.');
  }
  const recorded = await recordOutcome(service, keyOfCurrent(order), outcome, order);
  requireCaptured(recorded.payment);
  return recorded.order;
}

/**
 * Extends the reservation of a late payment; one begun in time is outlasted by its hold (`allowanceMs`). If the stock is
 * gone, or Inventory's maximum does not allow it, an open payment fails and the gateway is not called.
 */
async function extendHold(
  service: OrderService<'inventory'>,
  order: PaymentInProgressOrder,
): Promise<void> {
  if (isHeldLongEnough(service, order)) return;
  const { holdMs } = service.deadlines;
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
    throw await givenUp(service, order, 'RESERVATION_EXPIRED', error);
  }
}

/** True if the stock, as it was reserved, is held until a payment that goes on now has ended in whatever way. */
export function isHeldLongEnough(
  { clock, deadlines: { holdMs, allowanceMs } }: OrderService,
  order: PaymentInProgressOrder,
): boolean {
  return clock.now() + holdMs <= order.reservationExpiresAtMs + allowanceMs;
}

/** Fails an open payment that this try does not charge. */
async function givenUp(
  service: OrderService,
  order: PaymentInProgressOrder,
  code: string,
  cause?: unknown,
): Promise<Error> {
  const { payment } = await failPayment(service, keyOfCurrent(order), code);
  // An earlier try of this step charged it, and its answer was lost: the next try reads the capture.
  return payment.status === 'CAPTURED'
    ? new ConcurrentUpdate('The payment was acknowledged meanwhile.', { cause })
    : new PaymentNotCaptured(`The payment was given up before the charge: ${code}.`, { cause });
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
  key: PaymentKey,
): Promise<void> {
  const { orderId } = key;
  let found = await paymentInOrder(service, key);
  if (found.payment.status === 'FAILED' && found.payment.voidOwed !== undefined) {
    const outcome = await service.gateway.void({ ...found.payment, orderId });
    found = await recordOutcome(service, key, outcome);
    if (found.payment.status === 'FAILED') throw new GatewayUnknown('The void is not final yet.');
    observeDone(found, 'VOID');
  }
  if (found.payment.status === 'CAPTURED' && found.payment.refundOwed !== undefined) {
    const { status } = await service.gateway.refund(found.payment);
    if (status !== 'REFUNDED') throw new GatewayUnknown(`The refund is not done: ${status}.`);
    await recordRefund(service, key);
    observeDone(found, 'REFUND');
  }
}

function observeDone({ order, payment }: PaymentInOrder, kind: 'VOID' | 'REFUND'): void {
  const { orderId, correlationId } = order;
  const { paymentId } = payment;
  observe('CompensationDone', { orderId, paymentId, correlationId }, { kind });
}
