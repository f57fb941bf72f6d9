import { ReservationGone } from '../../inventory/refusals.ts';
import { MAX_RUNS_PER_ORDER } from '../../limits.ts';
import { type Payment, touchPayment } from '../../payments/payment.ts';
import { DUE_SHARDS } from '../../platform/dynamo/items.ts';
import { assertNever, ConcurrentUpdate } from '../../platform/errors.ts';
import { type LogContext, loggerFor } from '../../platform/lambda/logging.ts';
import { observe } from '../../platform/lambda/observe.ts';
import { type Round, workThrough } from '../../platform/lambda/round.ts';
import { touchOrder } from '../moves.ts';
import type { Order, OrderIn } from '../order.ts';
import { hasPendingModification } from '../order-items.ts';
import type { DueCandidate } from '../order-repository.ts';
import type { OrderService } from '../order-service.ts';
import { requirePayment } from '../payment-outcomes.ts';
import { compensate } from '../saga/compensate.ts';
import { confirmOrder } from '../saga/confirm-order.ts';
import { expireOrder } from '../saga/expire-order.ts';
import { abandonReservation } from '../saga/reject-reservation.ts';
import { sendDeadLetter } from '../saga/report-exhausted.ts';
import { startReserving } from '../saga/reserve-stock.ts';
import { settlePayment } from '../saga/settle-payment.ts';
import { PaymentNotCaptured } from '../saga/signals.ts';
import type { SagaRun } from '../saga-client.ts';
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
    overdueMs: ({ dueAtMs }) => nowMs - dueAtMs,
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
  const { kind, id } = candidate;
  try {
    const isMoved =
      kind === 'ORDER' ? await dispatchOrder(service, id) : await dispatchPayment(service, id);
    if (isMoved) observe('DueWorkDispatched', aboutCandidate(candidate), { kind });
    return isMoved;
  } catch (error) {
    logFailure(candidate, error);
    await reportStuckWork(service, candidate, error, roundAtMs);
    return false;
  }
}

function aboutCandidate({ kind, id, orderId, correlationId }: DueCandidate): LogContext {
  return { orderId, correlationId, ...(kind === 'PAYMENT' ? { paymentId: id } : {}) };
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

export async function dispatchOrder(
  service: OrderService<'inventory' | 'gateway' | 'saga' | 'queues'>,
  orderId: string,
): Promise<boolean> {
  const order = await service.orders.getOrder(orderId);
  if (order === undefined) return false;
  const dueAtMs = 'dueAtMs' in order ? order.dueAtMs : undefined;
  if (dueAtMs === undefined || dueAtMs > service.clock.now()) return false;
  switch (order.status) {
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
    case 'PENDING_PAYMENT':
    case 'PAYMENT_IN_PROGRESS':
      await moveSagaOn(service, order);
      return true;
    case 'PAYMENT_FAILED':
    case 'ORDER_FAILED':
    case 'ORDER_CANCELLED':
    case 'INVALID':
      await requestAgain(service, order);
      return true;
    case 'PAYMENT_DONE':
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
 * (a hung step has no token to signal), starts a new run, after writing it on the order. Harmless to repeat.
 * @throws InfrastructureUnavailable, ConcurrentUpdate
 */
export async function pushSaga(
  service: OrderService<'saga'>,
  order: OwedOrder,
): Promise<'WOKEN' | 'RUN_AGAIN' | 'NO_RUN_LEFT'> {
  const { orderId, run, correlationId } = order;
  const execution = await service.saga.start({ orderId, run, correlationId });
  if (execution !== 'CLOSED' && !isReservingTooLong(service, order, execution.startedAtMs)) {
    await signalOpenTokens(service, order);
    return 'WOKEN';
  }
  if (run >= MAX_RUNS_PER_ORDER) return 'NO_RUN_LEFT';
  const next = touchOrder<Order>(order, {
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
        await confirmOrder(service, run);
        return;
      } catch (error) {
        if (error instanceof PaymentNotCaptured || error instanceof ReservationGone) {
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

async function signalOpenTokens(service: OrderService<'saga'>, order: OwedOrder): Promise<void> {
  const waitToken = 'waitToken' in order ? order.waitToken : undefined;
  if (waitToken !== undefined) await service.saga.signal(waitToken);
  if (order.status !== 'PAYMENT_IN_PROGRESS') return;
  const payment = await requirePayment(service, order.paymentId);
  if (payment.status !== 'PENDING') return;
  if (hasPendingModification(order) || payment.acknowledgeByMs <= service.clock.now()) {
    await service.saga.signal(payment.waitToken);
  }
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

/** Stock is still owed: asks the compensation queue again. */
async function requestAgain(
  service: OrderService<'queues'>,
  order: OrderIn<'PAYMENT_FAILED' | 'ORDER_FAILED' | 'ORDER_CANCELLED' | 'INVALID'>,
): Promise<void> {
  const { orderId, run, correlationId } = order;
  await service.queues.requestCompensation({ orderId, run, correlationId });
  const dueAtMs = service.clock.now() + service.deadlines.obligationMs;
  await service.orders.save(touchOrder<Order>(order, { dueAtMs }), order);
}

/** A refund or a void is still owed: asks the compensation queue again. */
export async function dispatchPayment(
  service: OrderService<'queues'>,
  paymentId: string,
): Promise<boolean> {
  const payment = await service.payments.getPayment(paymentId);
  if (payment?.status !== 'CAPTURED' && payment?.status !== 'FAILED') return false;
  if (payment.dueAtMs === undefined || payment.dueAtMs > service.clock.now()) return false;
  const order = await service.orders.getOrder(payment.orderId);
  if (order === undefined) return false;
  const { orderId, run, correlationId } = order;
  await service.queues.requestCompensation({ orderId, run, correlationId, paymentId });
  const dueAtMs = service.clock.now() + service.deadlines.obligationMs;
  await service.payments.save(touchPayment<Payment>(payment, { dueAtMs }), payment);
  return true;
}
