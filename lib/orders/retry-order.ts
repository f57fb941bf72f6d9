import { MAX_USER_RUNS_PER_ORDER } from '../limits.ts';
import { IllegalTransition } from '../platform/errors.ts';
import { admissionOf, admitOrder } from './admit-order.ts';
import { type BaseChanges, type Move, moveOrder } from './moves.ts';
import type { CreatedOrder, Order, OrderStatus, StatusChange } from './order.ts';
import { moveNow, type OrderService } from './order-service.ts';

const ORDER_RETRIED = 'ORDER_RETRIED';

/**
 * `ORDER_FAILED` → `CREATED`: a new run at a new revision, so that late calls of the failed run have no
 * effect. The caller starts the saga.
 * A second retry of a user who was faster than the answer returns the order as the first one left it.
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
  if (order.status !== 'ORDER_FAILED' && (isRepeated || isJustRetried(order))) return order;
  if (order.run >= MAX_USER_RUNS_PER_ORDER) {
    throw new IllegalTransition('This order has been tried too often; place a new one.', {
      details: { orderId: order.orderId },
    });
  }
  const lastRequest = request === undefined ? {} : { lastRequest: request };
  const next = startedAgain(service, order, moveNow(service, ORDER_RETRIED, 'user'), lastRequest);
  await admitOrder(service, order.userId, admissionOf(service, 'RETRY', order));
  await service.orders.save(next, order);
  return next;
}

/** Statuses of the answers to a retry; an order comes to each of them within two moves. */
const ANSWERED: readonly OrderStatus[] = [
  'CREATED',
  'PENDING_RESERVING_STOCK',
  'PENDING_PAYMENT',
  'INVALID',
];

/** True if nothing but its own run has moved the order since its user retried it. */
function isJustRetried({ status, history }: Order): boolean {
  const isRetry = ({ reason, by }: StatusChange) => reason === ORDER_RETRIED && by === 'user';
  return ANSWERED.includes(status) && history.slice(-3).some(isRetry);
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
