import type { DueCandidate } from '../../lib/orders/order-repository.ts';
import { type OrderService, orderServiceWith } from '../../lib/orders/order-service.ts';
import { pushSaga } from '../../lib/orders/recovery/dispatch-due-work.ts';
import { sagaQueues } from '../../lib/orders/recovery/saga-queues.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { owesGateway } from '../../lib/payments/payment.ts';
import { DUE_SHARDS } from '../../lib/platform/dynamo/items.ts';
import { assertNever } from '../../lib/platform/errors.ts';
import { workThrough } from '../../lib/platform/lambda/round.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';

const CONCURRENCY = 16;

const serviceOf = orderServiceWith({ saga: sagaClient, queues: sagaQueues });

/**
 * Resumes all unfinished work at the start of a stack with data of an earlier one. The earlier stack's executions
 * are gone. Without this function, the dispatcher would look for them only at the states' deadlines, which are
 * minutes away.
 *
 * It starts the execution of each order's current run and asks the compensation queue again, as the dispatcher
 * does. It writes nothing, so `due` stays unchanged:
 * - If this process dies before the end, the next one begins again.
 * - If a request moves an order on at the same moment, both start the same execution, which runs once.
 * - The execution reads the order itself, so it sees a payment made just before or after.
 * @returns the failures; the dispatcher retries their orders when they are due.
 */
export async function resumeOrders(runtime: Runtime): Promise<readonly unknown[]> {
  const service = serviceOf(runtime);
  const failures: unknown[] = [];
  const { unread } = await workThrough<DueCandidate>({
    shardCount: DUE_SHARDS,
    firstShard: 0,
    // All items, regardless of their due time.
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
  { orderId }: DueCandidate,
): Promise<void> {
  const order = await service.orders.getOrder(orderId);
  if (order === undefined) return;
  const { run, correlationId } = order;
  for (const { paymentId } of order.payments.filter(owesGateway)) {
    await service.queues.requestCompensation({ orderId, run, correlationId, paymentId });
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
      if (order.releaseOwed === undefined) return;
      await service.queues.requestCompensation({ orderId, run, correlationId });
      return;
    case 'PAYMENT_DONE':
      return;
    default:
      assertNever(order);
  }
}
