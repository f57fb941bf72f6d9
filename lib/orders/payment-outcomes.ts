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
import { assertNever, ImpossibleState } from '../platform/errors.ts';
import { touchOrder } from './moves.ts';
import { type OrderService, retryOnConflict } from './order-service.ts';

/**
 * Records what the gateway knows of a payment, whatever the payment has become meanwhile. A capture
 * of a payment that was given up owes its refund in the same write, so it is never kept.
 * @param eventId of the acknowledgement that tells it: recorded in the same transaction, and what was
 * recorded before has no effect.
 * @returns the payment as it then stands; unchanged where the gateway knows nothing final.
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
 * An acknowledgement may be what the saga waits for. The wait's token leaves the payment when it
 * settles, so the order takes it over, due soon, in the same transaction: from here on the saga is
 * woken by whoever comes first, this acknowledgement's signal or the dispatcher.
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
      // Refunded at the gateway without our asking: no money is held, as after a void.
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

/** The stock of a captured payment is definitely gone: its money is to go back. */
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
 * Gives the payment up. What the gateway knows of it is not asked here, so a void is owed: it makes
 * sure that no late charge is ever kept.
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
 * The write that fails a payment which no charge can have been sent for, because its order never
 * came to be charged: nothing is owed at the gateway, unless it has acknowledged a capture all the
 * same. For use in the order's own transaction.
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

/** @throws ImpossibleState */
export async function requirePayment(service: OrderService, paymentId: string): Promise<Payment> {
  const payment = await service.payments.getPayment(paymentId);
  // A payment is written in one transaction with the order that names it, and never deleted.
  if (payment === undefined) throw new ImpossibleState('The payment is not stored.');
  return payment;
}
