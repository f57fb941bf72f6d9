import {
  type CapturedPayment,
  isOpen,
  movePayment,
  type Payment,
  type RefundOwed,
  touchPayment,
} from '../payments/payment.ts';
import type { ChargeOutcome } from '../payments/payment-gateway.ts';
import { toTimestamp } from '../platform/clock.ts';
import { assertNever, ConcurrentUpdate } from '../platform/errors.ts';
import { touchOrder } from './moves.ts';
import { type OrderService, retryOnConflict } from './order-service.ts';

/**
 * Records the gateway's outcome of a payment, in any status of the payment. A capture of a payment that
 * was given up owes its refund in the same write.
 * @param eventId the acknowledgement's event: recorded in the same transaction; a repeated event has no
 * effect.
 * @returns the payment as it then stands; unchanged if the outcome is not final.
 */
export function recordOutcome(
  service: OrderService,
  paymentId: string,
  outcome: ChargeOutcome,
  eventId?: string,
): Promise<Payment> {
  return retryOnConflict(service, async () => {
    const payment = await requirePayment(service, paymentId);
    const next = nextAfter(service, payment, outcome);
    if (next === undefined) {
      if (eventId !== undefined) await service.payments.recordEvent(eventId);
      return payment;
    }
    if (eventId === undefined) await service.payments.save(next, payment);
    else if ((await saveAcknowledged(service, eventId, next, payment)) === 'REPEATED') {
      return requirePayment(service, paymentId);
    }
    return next;
  });
}

/**
 * Saves an acknowledged payment. The saga may wait for it, and the wait's token leaves the payment when
 * it settles. So the order takes the token over and becomes due soon, in the same transaction. Either
 * this acknowledgement or the dispatcher signals it.
 */
async function saveAcknowledged(
  service: OrderService,
  eventId: string,
  next: Payment,
  previous: Payment,
): Promise<'SAVED' | 'REPEATED'> {
  const payment = { next, previous };
  const order = isOpen(previous) ? await service.orders.getOrder(previous.orderId) : undefined;
  if (order?.status !== 'PAYMENT_IN_PROGRESS' || order.paymentId !== previous.paymentId) {
    return service.orders.saveAcknowledged(eventId, payment);
  }
  const due = touchOrder(order, {
    dueAtMs: Math.min(order.dueAtMs, service.clock.now() + service.deadlines.dispatchMs),
    ...(previous.status === 'PENDING' ? { waitToken: previous.waitToken } : {}),
  });
  return service.orders.saveAcknowledged(eventId, payment, { next: due, previous: order });
}

function nextAfter(
  service: OrderService,
  payment: Payment,
  outcome: ChargeOutcome,
): Payment | undefined {
  const at = toTimestamp(service.clock.now());
  switch (outcome.status) {
    case 'PENDING':
      return undefined;
    case 'CAPTURED':
      if (payment.status === 'CAPTURED' || payment.status === 'REFUNDED') return undefined;
      return isOpen(payment)
        ? movePayment(payment, 'CAPTURED', {}, { reason: 'CAPTURED', at })
        : movePayment(payment, 'CAPTURED', refundDueFields(service, 'LATE_CAPTURE'), {
            reason: 'LATE_CAPTURE',
            at,
          });
    case 'DECLINED':
      return endsWithoutMoney(payment)
        ? movePayment(payment, 'DECLINED', { code: outcome.code }, { reason: outcome.code, at })
        : undefined;
    case 'VOIDED':
    case 'REFUNDED':
      // Refunded by the gateway itself: no money is held, as after a void.
      return endsWithoutMoney(payment)
        ? movePayment(payment, 'VOIDED', { code: codeOf(payment) }, { reason: 'VOIDED', at })
        : undefined;
    default:
      return assertNever(outcome);
  }
}

function endsWithoutMoney(payment: Payment): boolean {
  return isOpen(payment) || (payment.status === 'FAILED' && payment.voidOwed === true);
}

function codeOf(payment: Payment): string {
  return payment.status === 'FAILED' ? payment.code : 'PAYMENT_VOIDED';
}

function refundDueFields(service: OrderService, reason: string): RefundOwed {
  return {
    refundOwed: { reason },
    dueAtMs: service.clock.now() + service.deadlines.dispatchMs,
  };
}

function withRefundDue(
  service: OrderService,
  payment: CapturedPayment,
  reason: string,
): CapturedPayment {
  return touchPayment(payment, refundDueFields(service, reason));
}

/** Records that a captured payment is to be refunded: its stock is gone for good. */
export function recordRefundDue(
  service: OrderService,
  paymentId: string,
  reason: string,
): Promise<Payment> {
  return retryOnConflict(service, async () => {
    const payment = await requirePayment(service, paymentId);
    if (payment.status !== 'CAPTURED' || payment.refundOwed !== undefined) return payment;
    const next = withRefundDue(service, payment, reason);
    await service.payments.save(next, payment);
    return next;
  });
}

/**
 * Gives the payment up without asking the gateway. So a void is owed, which keeps a late charge from
 * being captured.
 */
export function failPayment(
  service: OrderService,
  paymentId: string,
  code: string,
): Promise<Payment> {
  return retryOnConflict(service, async () => {
    const payment = await requirePayment(service, paymentId);
    if (!isOpen(payment)) return payment;
    const nowMs = service.clock.now();
    const next = movePayment(
      payment,
      'FAILED',
      { code, voidOwed: true, dueAtMs: nowMs + service.deadlines.dispatchMs },
      { reason: code, at: toTimestamp(nowMs) },
    );
    await service.payments.save(next, payment);
    return next;
  });
}

/**
 * Fails a payment that was never charged, because its order did not get that far. Nothing is owed at the
 * gateway, unless it has acknowledged a capture. The caller writes the result in the order's transaction.
 */
export async function failUnchargedPayment(
  service: OrderService,
  paymentId: string,
  code: string,
): Promise<{ readonly next: Payment; readonly previous: Payment }> {
  const previous = await requirePayment(service, paymentId);
  if (isOpen(previous)) {
    const at = toTimestamp(service.clock.now());
    return { previous, next: movePayment(previous, 'FAILED', { code }, { reason: code, at }) };
  }
  return {
    previous,
    next:
      previous.status === 'CAPTURED'
        ? withRefundDue(service, previous, code)
        : touchPayment(previous, {}),
  };
}

/**
 * Reads a payment that an order names. Order and payment are written in one transaction, but its writes become
 * visible one after the other:
 *
 *     startPayment: transaction ── order visible ─────────────────── payment visible
 *     this reader:                     reads the order, no payment yet
 *
 * @throws ConcurrentUpdate: read both again.
 */
export async function requirePayment(service: OrderService, paymentId: string): Promise<Payment> {
  const payment = await service.payments.getPayment(paymentId);
  if (payment === undefined) throw new ConcurrentUpdate('The payment is not visible yet.');
  return payment;
}
