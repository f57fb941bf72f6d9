import {
  type CapturedPayment,
  codeOf,
  isOpen,
  isUnsettled,
  movePayment,
  type Payment,
} from '../payments/payment.ts';
import type { ChargeOutcome } from '../payments/payment-gateway.ts';
import { UnknownPayment } from '../payments/refusals.ts';
import { toTimestamp } from '../platform/clock.ts';
import { assertNever } from '../platform/errors.ts';
import { loggerFor } from '../platform/lambda/logging.ts';
import { changeOrder, touchOrder } from './moves.ts';
import type { Order, Payments } from './order.ts';
import {
  currentPayment,
  isCurrentPayment,
  type PaymentKey,
  paymentOf,
  withPayment,
} from './order-payments.ts';
import { type OrderService, retryOnConflict } from './order-service.ts';

/** A payment as it stands, in its order. */
export interface PaymentInOrder {
  readonly order: Order;
  readonly payment: Payment;
}

/**
 * Records the gateway's outcome of a payment, in any status of the payment. A capture of a payment that
 * was given up owes its refund in the same write.
 * @param known the order as it was read before; by default it is read.
 * @returns the payment as it then stands; unchanged if the outcome is not final or not new.
 */
export function recordOutcome(
  service: OrderService,
  key: PaymentKey,
  outcome: ChargeOutcome,
  known?: Order,
): Promise<PaymentInOrder> {
  return changePayment(service, key, changeTo(service, outcome), { known });
}

/**
 * As `recordOutcome`, for an outcome that was asked for because of an event of the gateway. The saga may wait for it: so the order
 * becomes due soon in the same write. Either this acknowledgement or the dispatcher signals the wait's token.
 */
export function recordAcknowledged(
  service: OrderService,
  key: PaymentKey,
  outcome: ChargeOutcome,
  known: Order,
): Promise<PaymentInOrder> {
  return changePayment(service, key, changeTo(service, outcome), {
    known,
    besides(order, payment) {
      if (order.status !== 'PAYMENT_IN_PROGRESS' || !isWanted(order, payment)) return {};
      const soonMs = service.clock.now() + service.deadlines.dispatchMs;
      return { dueAtMs: Math.min(order.dueAtMs, soonMs) };
    },
  });
}

/**
 * Reads a payment in its order.
 * @throws UnknownPayment if the order has no such payment.
 */
export async function paymentInOrder(
  service: OrderService,
  key: PaymentKey,
): Promise<PaymentInOrder> {
  return paymentIn(await service.orders.getOrder(key.orderId), key);
}

function paymentIn(order: Order | undefined, { paymentId }: PaymentKey): PaymentInOrder {
  const payment = order && paymentOf(order, paymentId);
  if (order === undefined || payment === undefined) {
    throw new UnknownPayment('No such payment of this order is stored.');
  }
  return { order, payment };
}

/** @returns undefined if nothing is to be written. */
type ChangeOf = (payment: Payment, order: Order) => Payment | undefined;

/**
 * Changes one payment in one write of its order.
 * @param options.besides other fields of the order as read that the same write changes.
 * @param options.known the order as it was read before; it is read again if it has changed since.
 * @throws UnknownPayment if the order has no such payment.
 */
function changePayment(
  service: OrderService,
  key: PaymentKey,
  change: ChangeOf,
  options: {
    readonly besides?: (order: Order, payment: Payment) => { readonly dueAtMs?: number };
    readonly known?: Order | undefined;
  } = {},
): Promise<PaymentInOrder> {
  const write = async (known: Order | undefined) => {
    const { order, payment } =
      known === undefined ? await paymentInOrder(service, key) : paymentIn(known, key);
    const changed = change(payment, order);
    if (changed === undefined) return { order, payment };
    const changes = { ...withPayment(order, changed), ...options.besides?.(order, payment) };
    // Of a payment's changes, the order shows its refund.
    const next =
      changed.status === 'REFUNDED'
        ? changeOrder<Order>(order, changes)
        : touchOrder<Order>(order, changes);
    await saveSettling(service, next, order);
    return { order: next, payment: changed };
  };
  return retryOnConflict(service, write, options.known);
}

/**
 * Writes the order, then removes the tokens of the payments that have settled with it. A token that is left, because
 * this process died in between, goes when the database finds its time to be up.
 */
export async function saveSettling(
  service: OrderService,
  next: Order,
  previous: Order,
): Promise<void> {
  await service.orders.save(next, previous);
  for (const before of previous.payments) {
    const after = paymentOf(next, before.paymentId);
    if (!isOpen(before) || after === undefined || isOpen(after)) continue;
    try {
      await service.orders.forgetMethod(before.methodId);
    } catch (error) {
      const { orderId, correlationId } = next;
      loggerFor({ orderId, correlationId }).warn(
        "The token of a settled payment's method is left to the database's clock",
        { error },
      );
    }
  }
}

/** The change of a payment to the gateway's outcome. */
function changeTo(service: OrderService, outcome: ChargeOutcome): ChangeOf {
  return (payment, order) => nextAfter(service, order, payment, outcome);
}

function nextAfter(
  service: OrderService,
  order: Order,
  payment: Payment,
  outcome: ChargeOutcome,
): Payment | undefined {
  const at = toTimestamp(service.clock.now());
  switch (outcome.status) {
    case 'PENDING':
      return undefined;
    case 'CAPTURED':
      if (payment.status === 'CAPTURED' || payment.status === 'REFUNDED') return undefined;
      return isWanted(order, payment)
        ? movePayment(payment, 'CAPTURED', {}, { reason: 'CAPTURED', at })
        : movePayment(payment, 'CAPTURED', refundDueFields(service, 'LATE_CAPTURE'), {
            reason: 'LATE_CAPTURE',
            at,
          });
    case 'MISCHARGED':
      if (payment.status === 'CAPTURED' || payment.status === 'REFUNDED') return undefined;
      return movePayment(payment, 'CAPTURED', refundDueFields(service, 'AMOUNT_MISMATCH'), {
        reason: 'AMOUNT_MISMATCH',
        at,
      });
    case 'DECLINED':
      return isUnsettled(payment)
        ? movePayment(payment, 'DECLINED', { code: outcome.code }, { reason: outcome.code, at })
        : undefined;
    case 'VOIDED':
    case 'REFUNDED':
      // Refunded by the gateway itself: no money is held, as after a void.
      return isUnsettled(payment)
        ? movePayment(
            payment,
            'VOIDED',
            { code: codeOf(payment) ?? 'PAYMENT_VOIDED' },
            { reason: 'VOIDED', at },
          )
        : undefined;
    default:
      return assertNever(outcome);
  }
}

/** True if the order waits for this payment. The money of any other goes back. */
function isWanted(order: Order, payment: Payment): boolean {
  const isPaying =
    order.status === 'PAYMENT_IN_PROGRESS' ||
    (order.status === 'PENDING_RESERVING_STOCK' && order.purpose === 'PAYMENT_RETRY');
  return isPaying && isOpen(payment) && isCurrentPayment(order, payment.paymentId);
}

function refundDueFields(service: OrderService, reason: string) {
  return { refundOwed: { reason, dueAtMs: service.clock.now() + service.deadlines.dispatchMs } };
}

function withRefundDue(
  service: OrderService,
  payment: CapturedPayment,
  reason: string,
): CapturedPayment {
  return { ...payment, ...refundDueFields(service, reason) };
}

/** Records that a captured payment is to be refunded: its stock is gone for good. */
export function recordRefundDue(
  service: OrderService,
  key: PaymentKey,
  reason: string,
): Promise<PaymentInOrder> {
  return changePayment(service, key, (payment) =>
    payment.status === 'CAPTURED' && payment.refundOwed === undefined
      ? withRefundDue(service, payment, reason)
      : undefined,
  );
}

/** Records that the refund was made; the order shows it from the same write on. */
export function recordRefund(service: OrderService, key: PaymentKey): Promise<PaymentInOrder> {
  return changePayment(service, key, (payment) => {
    if (payment.status !== 'CAPTURED' || payment.refundOwed === undefined) return undefined;
    const code = payment.refundOwed.reason;
    const at = toTimestamp(service.clock.now());
    return movePayment(payment, 'REFUNDED', { code }, { reason: code, at });
  });
}

/**
 * Gives the payment up without asking the gateway. So a void is owed, which keeps a late charge from
 * being captured.
 */
export function failPayment(
  service: OrderService,
  key: PaymentKey,
  code: string,
): Promise<PaymentInOrder> {
  return changePayment(service, key, (payment) => {
    if (!isOpen(payment)) return undefined;
    const nowMs = service.clock.now();
    return movePayment(
      payment,
      'FAILED',
      { code, voidOwed: { dueAtMs: nowMs + service.deadlines.dispatchMs } },
      { reason: code, at: toTimestamp(nowMs) },
    );
  });
}

/**
 * The payments of an order that did not get as far as charging the current one: it fails. Nothing is owed at
 * the gateway, unless it has acknowledged a capture. The caller writes them with the order's move.
 */
export function withUnchargedFailed(
  service: OrderService,
  order: { readonly payments: Payments },
  code: string,
): { readonly payments: Payments } {
  const payment = currentPayment(order);
  if (isOpen(payment)) {
    const at = toTimestamp(service.clock.now());
    return withPayment(order, movePayment(payment, 'FAILED', { code }, { reason: code, at }));
  }
  return payment.status === 'CAPTURED'
    ? withPayment(order, withRefundDue(service, payment, code))
    : { payments: order.payments };
}
