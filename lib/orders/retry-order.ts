import { MAX_USER_RUNS_PER_ORDER } from '../limits.ts';
import { IllegalTransition } from '../platform/errors.ts';
import { admissionOf, admitOrder } from './admit-order.ts';
import { type BaseChanges, type Move, moveOrder } from './moves.ts';
import type { CreatedOrder, Order } from './order.ts';
import { moveNow, type OrderService } from './order-service.ts';

/**
 * `ORDER_FAILED` → `CREATED`: a new run at a new revision, so that late calls of the failed run have no
 * effect. The caller starts the saga.
 * @param request digest of the keyed request. Its repetition returns the order, unless the order has
 * failed since: then it is run again.
 * @throws IllegalTransition in every other status and after the last allowed run; TooManyOpenOrders.
 * @throws ConcurrentUpdate if another writer moved the order at the same moment.
 */
export async function retryOrder(
  service: OrderService,
  order: Order,
  request?: string,
): Promise<Order> {
  const isRepeated = request !== undefined && order.lastRequest === request;
  if (isRepeated && order.status !== 'ORDER_FAILED') return order;
  if (order.run >= MAX_USER_RUNS_PER_ORDER) {
    throw new IllegalTransition('This order has been tried too often; place a new one.', {
      details: { orderId: order.orderId },
    });
  }
  const lastRequest = request === undefined ? {} : { lastRequest: request };
  const next = startedAgain(service, order, moveNow(service, 'ORDER_RETRIED', 'user'), lastRequest);
  await admitOrder(service, order.userId, admissionOf(service, 'RETRY', order));
  await service.orders.save(next, order);
  return next;
}

/**
 * Moves the order for an operator, past the limit of its user's open orders.
 * @throws IllegalTransition, ConcurrentUpdate
 */
export async function runAgain(
  service: OrderService,
  order: Order,
  move: Move,
): Promise<CreatedOrder> {
  const next = startedAgain(service, order, move);
  await service.orders.save(next, order);
  return next;
}

/** The order as it runs again. It is due in the same write, so the dispatcher starts a run that nobody else starts. */
function startedAgain(
  service: OrderService,
  order: Order,
  move: Move,
  changes: Pick<BaseChanges, 'lastRequest'> = {},
): CreatedOrder {
  return moveOrder(
    order,
    'CREATED',
    {
      run: order.run + 1,
      revision: order.revision + 1,
      dueAtMs: service.clock.now() + service.deadlines.dispatchMs,
      ...changes,
    },
    move,
  );
}
