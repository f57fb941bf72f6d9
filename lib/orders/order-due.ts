import { paymentDueMs } from '../payments/payment.ts';
import type { Order } from './order.ts';

/** When the system owes the order's own next move, or a release; undefined if it owes neither. */
export function ownDueMs(order: Order): number | undefined {
  return 'dueAtMs' in order ? order.dueAtMs : undefined;
}

/**
 * Key by which a write puts the order in the outbox's index. Each change of an index key costs two writes, so the present
 * key stays as long as it is not later than what is owed; the dispatcher corrects a key that it finds too early.
 */
export function dueKeyOf(order: Order): number | undefined {
  const dueMs = earliestDueMs(order);
  if (dueMs === undefined) return undefined;
  return Math.min(order.dueKeyMs ?? dueMs, dueMs);
}

/** The earliest time of all that is owed: the order's own move and each payment's debt. Undefined if nothing is. */
export function earliestDueMs(order: Order): number | undefined {
  const times = [ownDueMs(order), ...order.payments.map(paymentDueMs)];
  const owed = times.filter((timeMs) => timeMs !== undefined);
  return owed.length === 0 ? undefined : Math.min(...owed);
}
