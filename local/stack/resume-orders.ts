import type { DueCandidate } from '../../lib/orders/order-repository.ts';
import { type OrderService, orderServiceWith } from '../../lib/orders/order-service.ts';
import { pushSaga } from '../../lib/orders/recovery/dispatch-due-work.ts';
import { sagaQueues } from '../../lib/orders/recovery/saga-queues.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { DUE_SHARDS } from '../../lib/platform/dynamo/due-index.ts';
import { assertNever } from '../../lib/platform/errors.ts';
import { workThrough } from '../../lib/platform/lambda/round.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';

const CONCURRENCY = 16;

const serviceOf = orderServiceWith({ saga: sagaClient, queues: sagaQueues });

/**
 * Has everything that is owed a move go on now, on a stack that begins with what an earlier one has
 * kept. That one's executions are gone, and the dispatcher would look for them at the states'
 * deadlines only, which are minutes away.
 *
 * It starts the execution of each order's own run and asks the compensation queue again, as the
 * dispatcher does. It writes nothing, so `due` stays what it was:
 * - if this process dies in the middle, the next one begins again;
 * - an order that a request moves on at the same moment has the same execution started, which is one;
 * - that execution reads the order itself, so it sees a payment that was made just before or after.
 * @returns what could not be done; the dispatcher does it when it is due.
 */
export async function resumeOrders(runtime: Runtime): Promise<readonly unknown[]> {
  const service = serviceOf(runtime);
  const failures: unknown[] = [];
  const { unread } = await workThrough<DueCandidate>({
    shardCount: DUE_SHARDS,
    firstShard: 0,
    // Whenever it is due.
    pagesOf: (shard) => service.orders.dueCandidates(shard, Number.MAX_SAFE_INTEGER),
    overdueMs: () => 0,
    concurrency: CONCURRENCY,
    handle: async (candidate) => {
      try {
        await resume(service, candidate);
        return true;
      } catch (error) {
        failures.push(error);
        return false;
      }
    },
    hasTime: () => true,
  });
  return [...failures, ...unread.map(({ error }) => error)];
}

async function resume(
  service: OrderService<'saga' | 'queues'>,
  { kind, id, orderId }: DueCandidate,
): Promise<void> {
  const order = await service.orders.getOrder(orderId);
  if (order === undefined) return;
  const { run, correlationId } = order;
  if (kind === 'PAYMENT') {
    await service.queues.requestCompensation({ orderId, run, correlationId, paymentId: id });
    return;
  }
  switch (order.status) {
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
    case 'PENDING_PAYMENT':
    case 'PAYMENT_IN_PROGRESS':
      await pushSaga(service, order);
      return;
    case 'PAYMENT_FAILED':
    case 'ORDER_FAILED':
    case 'ORDER_CANCELLED':
    case 'INVALID':
      await service.queues.requestCompensation({ orderId, run, correlationId });
      return;
    case 'PAYMENT_DONE':
      return;
    default:
      assertNever(order);
  }
}
