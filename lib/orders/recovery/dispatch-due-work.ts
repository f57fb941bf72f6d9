import { ReservationGone } from '../../inventory/refusals.ts';
import { MAX_RUNS_PER_ORDER } from '../../limits.ts';
import { paymentDueMs, withDebtDueAt } from '../../payments/payment.ts';
import { DUE_SHARDS } from '../../platform/dynamo/items.ts';
import { assertNever, ConcurrentUpdate } from '../../platform/errors.ts';
import { type LogContext, loggerFor } from '../../platform/lambda/logging.ts';
import { observe } from '../../platform/lambda/observe.ts';
import { type Round, workThrough } from '../../platform/lambda/round.ts';
import { changeOrder, touchOrder } from '../moves.ts';
import type { Order, OrderIn } from '../order.ts';
import { earliestDueMs, ownDueMs } from '../order-due.ts';
import { hasPendingModification } from '../order-items.ts';
import { currentPayment } from '../order-payments.ts';
import type { DueCandidate } from '../order-repository.ts';
import type { OrderService } from '../order-service.ts';
import { compensate } from '../saga/compensate.ts';
import { expireOrder } from '../saga/expire-order.ts';
import { abandonReservation } from '../saga/reject-reservation.ts';
import { sendDeadLetter } from '../saga/report-exhausted.ts';
import { startReserving } from '../saga/reserve-stock.ts';
import { settlePayment } from '../saga/settle-payment.ts';
import { ConfirmationUnfinished, PaymentNotCaptured } from '../saga/signals.ts';
import type { SagaRun } from '../saga-client.ts';
import { signalWait } from '../wait.ts';
import { reportStuckWork } from './report-stuck-work.ts';

/** Candidates handled at the same time; each mostly waits for a response. */
const CONCURRENCY = 16;

/** Time until an order without runs left is looked at again; each look sends a dead letter. */
const WORN_OUT_MS = 60 * 60 * 1000;

export type OwedOrder = OrderIn<
  'CREATED' | 'PENDING_RESERVING_STOCK' | 'PENDING_PAYMENT' | 'PAYMENT_IN_PROGRESS'
>;

/**
 * Does the work that is left over because a process died, a call was lost or an execution was aborted. It
 * reads every candidate again consistently and acts conditionally, so any number of dispatchers may run
 * at once. One candidate's failure does not stop the others. A candidate that keeps failing leaves dead
 * letters.
 * @param hasTime false when no new work may begin; the next round continues.
 */
export function dispatchDueWork(
  service: OrderService<'inventory' | 'gateway' | 'saga' | 'queues'>,
  hasTime: () => boolean,
): Promise<Round> {
  const nowMs = service.clock.now();
  return workThrough<DueCandidate>({
    shardCount: DUE_SHARDS,
    firstShard: Math.floor(service.random() * DUE_SHARDS),
    pagesOf: (shard) => service.orders.dueCandidates(shard, nowMs),
    overdueMs: ({ dueKeyMs }) => nowMs - dueKeyMs,
    concurrency: CONCURRENCY,
    handle: (candidate) => dispatch(service, candidate, nowMs),
    hasTime,
  });
}

async function dispatch(
  service: OrderService<'inventory' | 'gateway' | 'saga' | 'queues'>,
  candidate: DueCandidate,
  roundAtMs: number,
): Promise<boolean> {
  try {
    const done = await dispatchOrder(service, candidate.orderId);
    for (const kind of done) observe('DueWorkDispatched', aboutCandidate(candidate), { kind });
    return done.length > 0;
  } catch (error) {
    logFailure(candidate, error);
    await reportStuckWork(service, candidate, error, roundAtMs);
    return false;
  }
}

function aboutCandidate({ orderId, correlationId }: DueCandidate): LogContext {
  return { orderId, correlationId };
}

function logFailure(candidate: DueCandidate, error: unknown): void {
  const logger = loggerFor({ operation: 'dispatch-due-work', ...aboutCandidate(candidate) });
  if (error instanceof ConcurrentUpdate) {
    // Mostly another writer moved it on at the same moment, as intended.
    logger.info('Due work was changed meanwhile');
    return;
  }
  logger.error('Due work not dispatched; the next round tries again', { error: error as Error });
}

/** Kind of work that was due: the order's own move or release, or the debt of one of its payments. */
export type DueWork = 'ORDER' | 'PAYMENT';

/**
 * Does what is due of an order: asks the compensation queue again for stock and money that is still owed, and moves
 * the order on. If one of the two fails, the other one is done all the same.
 * @returns the work that was done.
 */
export async function dispatchOrder(
  service: OrderService<'inventory' | 'gateway' | 'saga' | 'queues'>,
  orderId: string,
): Promise<readonly DueWork[]> {
  const order = await service.orders.getOrder(orderId);
  const dueAtMs = order && earliestDueMs(order);
  if (order === undefined || dueAtMs === undefined) return [];
  if (dueAtMs > service.clock.now()) {
    await service.orders.correctDueKey(order);
    return [];
  }
  const [debts] = await Promise.allSettled([requestDebts(service, order)]);
  const current = debts.status === 'fulfilled' ? debts.value.order : order;
  const isMoved = await moveIfDue(service, current);
  if (debts.status === 'rejected') throw debts.reason;
  return [...(isMoved ? (['ORDER'] as const) : []), ...debts.value.requested];
}

/** Asks the compensation queue again for each debt that is due; each is next due when the queue has given up. */
async function requestDebts(
  service: OrderService<'queues'>,
  order: Order,
): Promise<{ readonly order: Order; readonly requested: readonly DueWork[] }> {
  const nowMs = service.clock.now();
  const isDue = (timeMs: number | undefined) => timeMs !== undefined && timeMs <= nowMs;
  const release = 'releaseOwed' in order && isDue(order.dueAtMs);
  const payments = order.payments.filter((payment) => isDue(paymentDueMs(payment)));
  if (!release && payments.length === 0) return { order, requested: [] };
  const { orderId, run, correlationId } = order;
  if (release) await service.queues.requestCompensation({ orderId, run, correlationId });
  for (const { paymentId } of payments) {
    await service.queues.requestCompensation({ orderId, run, correlationId, paymentId });
  }
  const dueAtMs = nowMs + service.deadlines.obligationMs;
  const next = touchOrder<Order>(order, {
    payments: order.payments.map((one) =>
      payments.includes(one) ? withDebtDueAt(one, dueAtMs) : one,
    ),
    ...(release ? { dueAtMs } : {}),
  });
  await service.orders.save(next, order);
  return {
    order: next,
    requested: [
      ...(release ? (['ORDER'] as const) : []),
      ...payments.map(() => 'PAYMENT' as const),
    ],
  };
}

/** @returns true if the system owed the order's next move by now. */
async function moveIfDue(
  service: OrderService<'inventory' | 'gateway' | 'saga' | 'queues'>,
  order: Order,
): Promise<boolean> {
  const dueAtMs = ownDueMs(order);
  if (dueAtMs === undefined || dueAtMs > service.clock.now()) return false;
  switch (order.status) {
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
    case 'PENDING_PAYMENT':
    case 'PAYMENT_IN_PROGRESS':
      await moveSagaOn(service, order);
      return true;
    case 'PAYMENT_DONE':
    case 'PAYMENT_FAILED':
    case 'ORDER_FAILED':
    case 'ORDER_CANCELLED':
    case 'INVALID':
      return false;
    default:
      return assertNever(order);
  }
}

/** Moves the order on; then it is next due at the deadline of its state. */
async function moveSagaOn(
  service: OrderService<'inventory' | 'gateway' | 'saga' | 'queues'>,
  order: OwedOrder,
): Promise<void> {
  const { orderId, run, correlationId } = order;
  const outcome = await pushSaga(service, order);
  switch (outcome) {
    case 'WOKEN':
      return postpone(service, order, stateDeadlineMs(service, order));
    case 'RUN_AGAIN':
      return;
    case 'NO_RUN_LEFT':
      await sendDeadLetter(service, {
        orderId,
        run,
        correlationId,
        step: 'dispatch-due-work',
        failure: 'RunsExhausted',
      });
      await postpone(service, order, service.clock.now() + WORN_OUT_MS);
      return finishWithoutSaga(service, { orderId, run, correlationId });
    default:
      return assertNever(outcome);
  }
}

/**
 * Signals a running saga. If the saga ended while the order is still owed a move, or if it hangs while it reserves
 * (a hung step may have stored no token), starts a new run, after writing it on the order. Harmless to repeat.
 * @throws InfrastructureUnavailable, ConcurrentUpdate
 */
export async function pushSaga(
  service: OrderService<'saga'>,
  order: OwedOrder,
): Promise<'WOKEN' | 'RUN_AGAIN' | 'NO_RUN_LEFT'> {
  const { orderId, run, correlationId } = order;
  const execution = await service.saga.start({ orderId, run, correlationId });
  if (execution !== 'CLOSED' && !isReservingTooLong(service, order, execution.startedAtMs)) {
    // An acknowledgement for which there is still time is waited for.
    if (!mayBeAcknowledged(service, order)) await signalWait(service, orderId);
    return 'WOKEN';
  }
  if (run >= MAX_RUNS_PER_ORDER) return 'NO_RUN_LEFT';
  // A run has an outage budget of its own: nobody has seen Inventory fail since the one before ended.
  const { outage, ...known } = { outage: undefined, ...order };
  // That it waits for Inventory is shown.
  const note = outage === undefined ? touchOrder : changeOrder;
  const next = note(known as Order, {
    run: run + 1,
    dueAtMs: stateDeadlineMs(service, order),
  });
  await service.orders.save(next, order);
  observe('SagaRestarted', { orderId, correlationId }, { status: order.status }, { run: next.run });
  await service.saga.start({ orderId, run: next.run, correlationId });
  return 'RUN_AGAIN';
}

/**
 * Takes the steps that lead to rest, for an order without runs left. The dispatcher repeats a failing
 * step an hour later, and each look sends a dead letter.
 */
async function finishWithoutSaga(
  service: OrderService<'inventory' | 'gateway' | 'queues'>,
  run: SagaRun,
): Promise<void> {
  const order = await service.orders.getOrder(run.orderId);
  switch (order?.status) {
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
      // Only the first write of the reservation is wanted; the next call rejects it.
      if (order.status === 'CREATED') await Promise.allSettled([startReserving(service, order)]);
      await abandonReservation(service, run);
      return compensate(service, run);
    case 'PENDING_PAYMENT':
      // A modification that was refused last may still be paid in time.
      if (order.reservationExpiresAtMs > service.clock.now()) return;
      await expireOrder(service, run);
      return compensate(service, run);
    case 'PAYMENT_IN_PROGRESS':
      try {
        await settlePayment(service, run);
        return;
      } catch (error) {
        const why = error instanceof ConfirmationUnfinished ? error.cause : error;
        if (why instanceof PaymentNotCaptured || why instanceof ReservationGone) {
          return compensate(service, run);
        }
        throw error;
      }
    case 'PAYMENT_DONE':
    case 'PAYMENT_FAILED':
    case 'ORDER_FAILED':
    case 'INVALID':
    case 'ORDER_CANCELLED':
    case undefined:
      return;
    default:
      return assertNever(order);
  }
}

function mayBeAcknowledged(service: OrderService, order: OwedOrder): boolean {
  if (order.status !== 'PAYMENT_IN_PROGRESS' || hasPendingModification(order)) return false;
  const payment = currentPayment(order);
  return payment.status === 'PENDING' && payment.acknowledgeByMs > service.clock.now();
}

/** True if this run has reserved for longer than a run can take. Once it is replaced it ends by itself (RunSuperseded). */
function isReservingTooLong(service: OrderService, order: OwedOrder, startedAtMs: number): boolean {
  const movedAtMs = Date.parse(order.history.at(-1)?.at ?? '');
  return (
    order.status === 'PENDING_RESERVING_STOCK' &&
    service.clock.now() >= Math.max(movedAtMs, startedAtMs) + service.deadlines.reservingMs
  );
}

/** Deadline of the state plus grace: an owed state always stays due. */
function stateDeadlineMs(service: OrderService, order: OwedOrder): number {
  const nowMs = service.clock.now();
  const { deadlines } = service;
  switch (order.status) {
    case 'CREATED':
      return nowMs + deadlines.dispatchMs;
    case 'PENDING_RESERVING_STOCK':
      return nowMs + deadlines.reservingMs;
    case 'PENDING_PAYMENT':
      return Math.max(nowMs, order.reservationExpiresAtMs) + deadlines.dispatchMs;
    case 'PAYMENT_IN_PROGRESS':
      return nowMs + deadlines.payingMs;
    default:
      return assertNever(order);
  }
}

async function postpone(service: OrderService, order: OwedOrder, dueAtMs: number): Promise<void> {
  await service.orders.save(touchOrder<Order>(order, { dueAtMs }), order);
}
