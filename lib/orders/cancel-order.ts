import { assertNever, IllegalTransition } from '../platform/errors.ts';
import { moveOrder } from './moves.ts';
import type { Order, OrderIn } from './order.ts';
import { closeModification } from './order-items.ts';
import { moveNow, type OrderService, ownedOrder, retryOnConflict } from './order-service.ts';
import { saveSettling, withUnchargedFailed } from './payment-outcomes.ts';
import { tryNow } from './saga-client.ts';
import { signalWait } from './wait.ts';

type CancellableOrder = OrderIn<
  'CREATED' | 'PENDING_RESERVING_STOCK' | 'PENDING_PAYMENT' | 'PAYMENT_FAILED' | 'ORDER_FAILED'
>;

/**
 * Cancels the order if LEGAL_MOVES allows it; repeating it is harmless. The order's conditional write
 * decides against a payment, a modification, the saga's steps and expiry. The same write records that
 * reserved stock is to be released.
 * @throws NotFound; IllegalTransition if the order is being paid, paid or invalid.
 */
export function cancelOrder(
  service: OrderService<'saga'>,
  orderId: string,
  userId: string,
): Promise<Order> {
  return retryOnConflict(service, async () => {
    const order = await ownedOrder(service, orderId, userId);
    switch (order.status) {
      case 'CREATED':
      case 'PENDING_RESERVING_STOCK':
      case 'PENDING_PAYMENT':
      case 'PAYMENT_FAILED':
      case 'ORDER_FAILED':
        return cancel(service, order);
      case 'ORDER_CANCELLED':
        return order;
      case 'PAYMENT_IN_PROGRESS':
        throw new IllegalTransition(
          'A payment is under way; wait for its outcome. If it fails, the order can be cancelled.',
          { details: { orderId, orderStatus: order.status }, retryAfterSeconds: 5 },
        );
      case 'PAYMENT_DONE':
      case 'INVALID':
        throw new IllegalTransition(`The order is ${order.status}; that is final.`, {
          details: { orderId, orderStatus: order.status },
        });
      default:
        return assertNever(order);
    }
  });
}

async function cancel(service: OrderService<'saga'>, order: CancellableOrder): Promise<Order> {
  const releaseOwed = releaseOwedBy(order);
  const next = moveOrder(
    order,
    'ORDER_CANCELLED',
    {
      reason: 'USER_CANCELLED',
      ...closeModification(order, 'ORDER_CANCELLED'),
      ...(releaseOwed === undefined
        ? {}
        : { releaseOwed, dueAtMs: service.clock.now() + service.deadlines.dispatchMs }),
      ...(order.status === 'PENDING_RESERVING_STOCK' && order.purpose === 'PAYMENT_RETRY'
        ? withUnchargedFailed(service, order, 'ORDER_CANCELLED')
        : {}),
    },
    moveNow(service, 'USER_CANCELLED', 'user'),
  );
  const { orderId } = order;
  await saveSettling(service, next, order);
  if (order.status === 'PENDING_PAYMENT') await tryNow(order, signalWait(service, orderId));
  return next;
}

/**
 * Stock may be held in every status except PAYMENT_FAILED and ORDER_FAILED, unless these still owe a
 * release.
 */
function releaseOwedBy(order: CancellableOrder): { readonly revision: number } | undefined {
  return order.status === 'PAYMENT_FAILED' || order.status === 'ORDER_FAILED'
    ? order.releaseOwed
    : { revision: order.revision };
}
