import { ReservationGone } from '../../inventory/errors.ts';
import {
  GatewayUnknown,
  PaymentCaptured,
  PaymentNotCaptured,
  PaymentPending,
} from '../../payments/errors.ts';
import {
  isOpen,
  movePayment,
  type Payment,
  type PendingPayment,
  touchPayment,
} from '../../payments/payment.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { assertNever, ConcurrentUpdate } from '../../platform/errors.ts';
import {
  ModificationRequested,
  OrderModified,
  OrderSettled,
  StillAwaitingAcknowledgement,
} from '../errors.ts';
import { hasPendingModification } from '../modification.ts';
import { moveOrder, type Order, type PaymentInProgressOrder } from '../order.ts';
import { decideAgain, type OrderService, systemMove } from '../order-service.ts';
import { failPayment, findPayment, recordOutcome } from '../payment-outcomes.ts';
import { clockSkewMs } from '../recovery/deadlines.ts';
import type { SagaRun } from '../start-and-wake.ts';
import { followStatus, recallWait, wokenWhilePending } from './await-payment.ts';
import { orderOfRun, reservationOf } from './current-run.ts';
import { reportExhausted } from './report-exhausted.ts';

/**
 * Saga step 3: extends the reservation past all payment time-outs, then charges with the payment id
 * as idempotency key. Returns when the payment is captured.
 * @throws PaymentNotCaptured: a definite no; compensate. PaymentPending, GatewayUnknown: wait for the
 * acknowledgement. GatewayUnavailable: the same key may be sent again.
 * @throws OrderModified, OrderSettled, ReservationExpired, StillAwaitingPayment: not to be charged.
 */
export async function chargePayment(
  service: OrderService<'inventory' | 'gateway'>,
  input: SagaRun,
): Promise<void> {
  const order = await orderOfRun(service, input);
  if (order.status === 'PENDING_PAYMENT') throw wokenWhilePending(service, order);
  if (order.status === 'PAYMENT_DONE') return;
  if (order.status !== 'PAYMENT_IN_PROGRESS') throw followStatus(order);
  if (hasPendingModification(order)) {
    throw new ModificationRequested('The user wants other items; the payment is to be voided.');
  }
  const payment = await findPayment(service, order.paymentId);
  if (!isOpen(payment)) {
    requireCaptured(payment);
    // A later run: the hold of the run before may be about to end. Confirming decides.
    await Promise.allSettled([extendHold(service, order)]);
    return;
  }

  await holdStock(service, order);
  const outcome = await service.gateway.charge(payment);
  if (outcome.status === 'PENDING') {
    throw new PaymentPending('The gateway will acknowledge the payment later.');
  }
  requireCaptured(await recordOutcome(service, payment.paymentId, outcome));
}

function extendHold(
  service: OrderService<'inventory'>,
  order: PaymentInProgressOrder,
): Promise<unknown> {
  return service.inventory.extend(
    { ...reservationOf(order), revision: order.heldRevision },
    service.clock.now() + service.deadlines.holdMs,
  );
}

/** If the stock is gone, the gateway is not called. */
async function holdStock(
  service: OrderService<'inventory'>,
  order: PaymentInProgressOrder,
): Promise<void> {
  try {
    await extendHold(service, order);
  } catch (error) {
    if (!(error instanceof ReservationGone)) throw error;
    const payment = await failPayment(service, order.paymentId, 'RESERVATION_EXPIRED');
    if (payment.status === 'CAPTURED') {
      throw new ConcurrentUpdate('The payment was acknowledged meanwhile.', { cause: error });
    }
    throw new PaymentNotCaptured('The reservation was gone before the charge.', { cause: error });
  }
}

/** @throws PaymentNotCaptured */
function requireCaptured(payment: Payment): void {
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
 * The outcome of the charge is open: waits for the gateway's acknowledgement, with the token of this
 * wait on the payment, where the acknowledgement is written. Completes itself where the payment is
 * settled already.
 */
export function awaitAcknowledgement(
  service: OrderService<'saga'>,
  input: SagaRun & { readonly waitToken: string },
): Promise<void> {
  return decideAgain(service, async () => {
    const order = await orderOfRun(service, input);
    const payment =
      order.status === 'PAYMENT_IN_PROGRESS'
        ? await findPayment(service, order.paymentId)
        : undefined;
    if (payment === undefined || !isOpen(payment)) {
      await service.saga.signal(input.waitToken);
      return;
    }
    await service.payments.save(waiting(service, payment, input.waitToken), payment);
    if (payment.status === 'PENDING') {
      await recallWait(service, payment.waitToken, input.waitToken);
    }
    // The token is stored: whoever asks for other items from now on signals it; who did so before is seen.
    const asked = await service.orders.find(order.orderId);
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

/**
 * After the wait: what was acknowledged counts; otherwise the gateway is asked, and what it has not
 * captured is voided, so that it never can be. Returns when the payment is captured.
 * Where the user wants other items meanwhile there is nothing to wait for: the payment is voided at
 * once if it still can be, and the order goes back to be reserved.
 * @throws PaymentNotCaptured: compensate. OrderModified: reserve the new items.
 * @throws StillAwaitingAcknowledgement: woken too early. GatewayUnavailable, GatewayUnknown: ask again.
 */
export async function settlePayment(
  service: OrderService<'gateway'>,
  input: SagaRun,
): Promise<void> {
  const order = await orderOfRun(service, input);
  if (order.status === 'PAYMENT_DONE') return;
  if (order.status !== 'PAYMENT_IN_PROGRESS') throw followUnpaid(order);
  const payment = await outcomeOf(service, order, await findPayment(service, order.paymentId));
  if (payment.status === 'VOIDED' && hasPendingModification(order)) {
    await reserveNewItems(service, order);
    throw new OrderModified('The payment is voided; the new items are to be reserved.');
  }
  requireCaptured(payment);
}

function followUnpaid(order: Order): Error {
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
    service.clock.now() + clockSkewMs(service.config.PAYMENT_ACK_TIMEOUT_SECONDS) <
      payment.acknowledgeByMs;
  if (mayStillWait) {
    throw new StillAwaitingAcknowledgement('The gateway still has time to acknowledge.');
  }
  const known = await service.gateway.find(payment.paymentId);
  const outcome =
    known === undefined || known.status === 'PENDING' ? await service.gateway.void(payment) : known;
  return recordOutcome(service, payment.paymentId, outcome);
}

/** `PAYMENT_IN_PROGRESS` → `PENDING_RESERVING_STOCK`: the payment of the old items is voided. */
async function reserveNewItems(
  service: OrderService,
  order: PaymentInProgressOrder,
): Promise<void> {
  const next = moveOrder(
    order,
    'PENDING_RESERVING_STOCK',
    {
      purpose: 'MODIFICATION',
      former: { revision: order.heldRevision, expiresAtMs: order.reservationExpiresAtMs },
      revision: order.revision + 1,
      dueAtMs: service.clock.now() + service.deadlines.reservingMs,
    },
    systemMove(service, 'PAYMENT_VOIDED'),
  );
  await service.orders.save(next, order);
}

/**
 * The gateway could not even be asked: the payment fails with its void owed, and a dead letter says
 * so. The letter comes second, so that a payment that cannot be written leaves only one letter, that
 * of this step; repeated, it finds the payment failed and sends the letter.
 * @throws PaymentCaptured: it was acknowledged after all; confirm. RunSuperseded
 */
export async function giveUpPayment(
  service: OrderService<'queues'>,
  input: SagaRun & { readonly failure: string },
): Promise<void> {
  const order = await orderOfRun(service, input);
  const payment =
    order.status === 'PAYMENT_IN_PROGRESS'
      ? await failPayment(service, order.paymentId, 'PAYMENT_UNCONFIRMED')
      : undefined;
  await reportExhausted(service, { ...input, step: 'settle-payment' });
  if (payment?.status === 'CAPTURED' && payment.refundOwed === undefined) {
    throw new PaymentCaptured('The acknowledgement came at the last moment.');
  }
}
