import { loggerFor } from '../../platform/lambda/logging.ts';
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
  const { kind, id, orderId, correlationId } = candidate;
  // Two rounds wide, so that a skipped round loses no letter. A second letter is harmless.
  const windowMs = 2 * service.config.SCHEDULE_SECONDS * 1000;
  if (!isReportDue(roundAtMs - candidate.dueAtMs, windowMs)) return;
  const logger = loggerFor({ operation: STEP, orderId, correlationId });
  try {
    const { isStillDue, run } = await lookAgain(service, candidate, roundAtMs);
    if (!isStillDue) return;
    const failure = error instanceof Error ? error.name : typeof error;
    await service.queues.deadLetter({
      orderId,
      run,
      correlationId,
      step: STEP,
      error: failure,
      ...(kind === 'PAYMENT' ? { paymentId: id } : {}),
    });
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

/** Another writer may have moved it on meanwhile. An unreadable order is stuck, with run 0. */
async function lookAgain(
  service: OrderService,
  { kind, id, orderId }: DueCandidate,
  roundAtMs: number,
): Promise<{ readonly isStillDue: boolean; readonly run: number }> {
  try {
    const order = await service.orders.getOrder(orderId);
    const item = kind === 'ORDER' ? order : await service.payments.getPayment(id);
    const dueAtMs = item !== undefined && 'dueAtMs' in item ? item.dueAtMs : undefined;
    return { isStillDue: dueAtMs !== undefined && dueAtMs <= roundAtMs, run: order?.run ?? 0 };
  } catch {
    return { isStillDue: true, run: 0 };
  }
}
