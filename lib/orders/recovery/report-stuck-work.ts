import { paymentDueMs } from '../../payments/payment.ts';
import { loggerFor } from '../../platform/lambda/logging.ts';
import { ownDueMs } from '../order-due.ts';
import type { DueCandidate } from '../order-repository.ts';
import type { OrderService } from '../order-service.ts';

const STEP = 'dispatch-due-work';

/** Time overdue after which failing work is reported to a person. */
const STUCK_AFTER_MS = 15 * 60 * 1000;

/**
 * Sends a dead letter for work that fails round after round: after a quarter of an hour overdue, and each
 * time that has doubled. The item keeps no note of it, because it may be the very item that cannot be
 * written. The work stays due, and every round tries it.
 * @param roundAtMs start of the round.
 */
export async function reportStuckWork(
  service: OrderService<'queues'>,
  candidate: DueCandidate,
  error: unknown,
  roundAtMs: number,
): Promise<void> {
  const { orderId, correlationId } = candidate;
  const logger = loggerFor({ operation: STEP, orderId, correlationId });
  const failure = error instanceof Error ? error.name : typeof error;
  try {
    const { run, stuck } = await lookAgain(service, candidate);
    // Two rounds wide, so that a skipped round loses no letter. A second letter is harmless.
    const windowMs = 2 * service.config.SCHEDULE_SECONDS * 1000;
    for (const { dueAtMs, paymentId } of stuck) {
      if (!isReportDue(roundAtMs - dueAtMs, windowMs)) continue;
      await service.queues.deadLetter({
        orderId,
        run,
        correlationId,
        step: STEP,
        error: failure,
        ...(paymentId === undefined ? {} : { paymentId }),
      });
    }
  } catch (unsent) {
    logger.error('Stuck work not reported', { error: unsent as Error });
  }
}

/**
 * True if work overdue for `overdueMs` passed one of the marks (15 minutes, 30, 60, …) at most `windowMs`
 * ago.
 */
export function isReportDue(overdueMs: number, windowMs: number): boolean {
  let markMs = STUCK_AFTER_MS;
  if (overdueMs < markMs) return false;
  while (2 * markMs <= overdueMs) markMs *= 2;
  return overdueMs - markMs < windowMs;
}

/** Work of an order with its true time; that of a payment names it. */
interface Stuck {
  readonly dueAtMs: number;
  readonly paymentId?: string;
}

/** Another writer may have moved it on meanwhile. An unreadable order is stuck since its index key, with run 0. */
async function lookAgain(
  service: OrderService,
  { orderId, dueKeyMs }: DueCandidate,
): Promise<{ readonly run: number; readonly stuck: readonly Stuck[] }> {
  try {
    const order = await service.orders.getOrder(orderId);
    if (order === undefined) return { run: 0, stuck: [] };
    const ownMs = ownDueMs(order);
    const ofPayments = order.payments.flatMap((payment) => {
      const dueAtMs = paymentDueMs(payment);
      return dueAtMs === undefined ? [] : [{ dueAtMs, paymentId: payment.paymentId }];
    });
    return {
      run: order.run,
      stuck: [...(ownMs === undefined ? [] : [{ dueAtMs: ownMs }]), ...ofPayments],
    };
  } catch {
    return { run: 0, stuck: [{ dueAtMs: dueKeyMs }] };
  }
}
