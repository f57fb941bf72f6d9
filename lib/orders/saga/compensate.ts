import { assertNever } from '../../platform/errors.ts';
import { moveOrder } from '../moves.ts';
import type { Order, PaymentInProgressOrder, ReleaseOwed } from '../order.ts';
import { closeModification, hasPendingModification } from '../order-items.ts';
import { currentPayment } from '../order-payments.ts';
import { moveNow, type OrderService, retryOnConflict } from '../order-service.ts';
import type { CompensationRequest } from '../recovery/saga-queues.ts';
import { observeReleased, releaseStock } from './reserve-stock.ts';
import { voidOrRefund } from './take-payment.ts';

/**
 * Saga step 3: reads the order and undoes its steps: releases stock, voids or refunds the payment. Each
 * part is safe to repeat, and safe if the step it undoes never arrived. The saga and the compensation
 * queue's consumer both call it.
 * @throws the errors of Inventory and the gateway: the rest is still owed, and stored as such.
 */
export async function compensate(
  service: OrderService<'inventory' | 'gateway'>,
  request: Pick<CompensationRequest, 'orderId' | 'paymentId'>,
): Promise<void> {
  const order = await service.orders.getOrder(request.orderId);
  if (order === undefined) return;
  const { orderId } = order;
  const paymentId = request.paymentId ?? currentPayment(order)?.paymentId;
  // Stock first; but if Inventory is unavailable, the money goes back all the same.
  const [stock] = await Promise.allSettled([giveStockBack(service, order)]);
  if (paymentId !== undefined) await voidOrRefund(service, { orderId, paymentId });
  if (stock.status === 'rejected') throw stock.reason;
}

async function giveStockBack(service: OrderService<'inventory'>, order: Order): Promise<void> {
  switch (order.status) {
    case 'PAYMENT_IN_PROGRESS':
      return rollBackPayment(service, order);
    case 'PAYMENT_FAILED':
    case 'ORDER_FAILED':
    case 'ORDER_CANCELLED':
    case 'INVALID':
      return releaseStock(service, order);
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
    case 'PENDING_PAYMENT':
    case 'PAYMENT_DONE':
      return;
    default:
      return assertNever(order);
  }
}

/** Rolls back a payment that ended without money: stock first, then `PAYMENT_FAILED`. */
async function rollBackPayment(
  service: OrderService<'inventory'>,
  order: PaymentInProgressOrder,
): Promise<void> {
  if (failureOf(order) === undefined) return;
  await service.inventory.release(order);
  observeReleased(order);
  await retryOnConflict(service, async () => {
    const current = await service.orders.getOrder(order.orderId);
    if (current?.status !== 'PAYMENT_IN_PROGRESS' || current.revision !== order.revision) return;
    const failure = failureOf(current);
    if (failure !== undefined) await moveToPaymentFailed(service, current, failure);
  });
}

/** Reason why the order's payment failed; undefined if it may still be captured, or was. */
export function failureOf(order: PaymentInProgressOrder): string | undefined {
  const payment = currentPayment(order);
  switch (payment.status) {
    case 'VOIDED':
      // Voided for a modification: the saga reserves the new items next.
      return hasPendingModification(order) ? undefined : payment.code;
    case 'DECLINED':
    case 'FAILED':
    case 'REFUNDED':
      return payment.code;
    case 'CAPTURED':
      return payment.refundOwed?.reason;
    case 'INITIATED':
    case 'PENDING':
      return undefined;
    default:
      return assertNever(payment);
  }
}

export async function moveToPaymentFailed(
  service: OrderService,
  order: PaymentInProgressOrder,
  reason: string,
  owed?: ReleaseOwed,
): Promise<void> {
  const next = moveOrder(
    order,
    'PAYMENT_FAILED',
    {
      reason,
      total: order.total,
      payments: order.payments,
      ...closeModification(order, reason),
      ...(owed ?? {}),
    },
    moveNow(service, reason),
  );
  await service.orders.save(next, order);
}
