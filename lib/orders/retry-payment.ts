import { MAX_USER_RUNS_PER_ORDER } from '../limits.ts';
import { isOpen, isUnsettled, newPayment } from '../payments/payment.ts';
import { toTimestamp } from '../platform/clock.ts';
import { assertNever, IllegalTransition } from '../platform/errors.ts';
import { admissionOf, admitOrder } from './admit-order.ts';
import { moveOrder } from './moves.ts';
import type { PaymentFailedOrder } from './order.ts';
import { currentPayment, isCurrentPayment, paymentOf, withPayment } from './order-payments.ts';
import { moveNow, type OrderService, ownedOrder, retryOnConflict } from './order-service.ts';
import { methodIdFor } from './payment-id.ts';
import type { PaymentInOrder } from './payment-outcomes.ts';
import { PaymentUnsettled } from './refusals.ts';
import { tryNow } from './saga-client.ts';
import {
  keepMethod,
  nextAttempt,
  paymentIdOf,
  type StartPaymentRequest,
  WHY_NOT,
} from './start-payment.ts';

const ROUTE = 'POST /retrypayment';

/**
 * `PAYMENT_FAILED` → `PENDING_RESERVING_STOCK` with a new payment, in one write: stock first, then
 * the charge, at the frozen prices. Refused while it is unknown if an earlier payment was captured, so that two
 * payments of an order never overlap.
 * @throws NotFound, PaymentUnsettled, IllegalTransition, TooManyOpenOrders
 */
export function retryPayment(
  service: OrderService<'saga'>,
  request: StartPaymentRequest,
): Promise<PaymentInOrder> {
  return retryOnConflict(service, async () => {
    const order = await ownedOrder(service, request.orderId, request.userId);
    const paymentId = paymentIdOf(ROUTE, request, order);
    const repeated = paymentOf(order, paymentId);
    if (repeated !== undefined) {
      // The first process may have died before it started the saga; starting it again is harmless.
      if (isOpen(repeated) && isCurrentPayment(order, paymentId))
        await tryNow(order, service.saga.start(order));
      return { order, payment: repeated };
    }
    switch (order.status) {
      case 'PAYMENT_FAILED':
        return begin(service, order, request, paymentId);
      case 'PENDING_RESERVING_STOCK':
      case 'PAYMENT_IN_PROGRESS': {
        const open = currentPayment(order);
        if (open !== undefined && isOpen(open)) return { order, payment: open };
        const advice =
          order.status === 'PAYMENT_IN_PROGRESS'
            ? 'The payment has its outcome, and the order follows in a moment; ask GET /order/{id}.'
            : WHY_NOT.PENDING_RESERVING_STOCK;
        throw refused(order.orderId, order.status, advice, 1);
      }
      case 'CREATED':
      case 'PAYMENT_DONE':
      case 'ORDER_FAILED':
      case 'INVALID':
      case 'ORDER_CANCELLED':
        throw refused(order.orderId, order.status, WHY_NOT[order.status]);
      case 'PENDING_PAYMENT':
        throw refused(
          order.orderId,
          order.status,
          'No payment has failed; pay with POST /payment.',
        );
      default:
        return assertNever(order);
    }
  });
}

function refused(
  orderId: string,
  status: string,
  advice: string,
  retryAfterSeconds?: number,
): IllegalTransition {
  return new IllegalTransition(advice, {
    details: { orderId, orderStatus: status },
    retryAfterSeconds,
  });
}

async function begin(
  service: OrderService<'saga'>,
  order: PaymentFailedOrder,
  request: StartPaymentRequest,
  paymentId: string,
): Promise<PaymentInOrder> {
  requireSettled(order);
  if (order.run >= MAX_USER_RUNS_PER_ORDER) {
    throw refused(
      order.orderId,
      order.status,
      'This order has been tried too often; place a new one.',
    );
  }
  const nowMs = service.clock.now();
  const revision = order.revision + 1;
  const methodId = methodIdFor(paymentId, request.methodToken);
  const payment = newPayment({
    paymentId,
    attempt: nextAttempt(order),
    revision,
    amount: order.total,
    methodId,
    createdAtMs: nowMs,
    at: toTimestamp(nowMs),
  });
  const next = moveOrder(
    order,
    'PENDING_RESERVING_STOCK',
    {
      ...withPayment(order, payment),
      purpose: 'PAYMENT_RETRY',
      total: order.total,
      revision,
      run: order.run + 1,
      dueAtMs: nowMs + service.deadlines.dispatchMs,
    },
    moveNow(service, 'PAYMENT_RETRIED', 'user'),
  );
  await admitOrder(service, order.userId, admissionOf(service, 'RETRY', order));
  await keepMethod(service, methodId, request);
  await service.orders.save(next, order);
  await tryNow(next, service.saga.start(next));
  return { order: next, payment };
}

/** @throws PaymentUnsettled while it is unknown if an earlier payment was captured; a refund blocks nobody. */
function requireSettled(order: PaymentFailedOrder): void {
  const earlier = order.payments.find(isUnsettled);
  if (earlier === undefined) return;
  throw new PaymentUnsettled(PaymentUnsettled.refusal.advice, {
    details: { orderId: order.orderId, paymentId: earlier.paymentId },
  });
}
