import type { Order } from '../../../lib/orders/order.ts';
import { ownDueMs } from '../../../lib/orders/order-due.ts';
import { type Payment, paymentDueMs } from '../../../lib/payments/payment.ts';
import { toTimestamp } from '../../../lib/platform/clock.ts';
import { DUE_SHARDS, shardName } from '../../../lib/platform/dynamo/items.ts';
import { assertNever } from '../../../lib/platform/errors.ts';
import { shardOf } from '../../../lib/platform/ids.ts';
import type { Disagreement } from '../disagreement.ts';
import type { Circumstances, StoredOrder } from '../facts.ts';

/**
 * P5: what the system owes has a running timer, the order's own or its payment's, and the outbox holds the order no
 * later than the earliest of them. An order that owes nothing is not in the outbox.
 */
export function orderDue(stored: StoredOrder, now: Circumstances): Disagreement[] {
  const { item: order, dueShard } = stored;
  const { orderId, status, dueKeyMs } = order;
  const debts = debtsOf(order);
  if (debts.length === 0) {
    if (dueKeyMs === undefined && dueShard === undefined && ownDueMs(order) === undefined)
      return [];
    return [
      {
        orderId,
        check: 'due-for-nothing',
        promise: 'P5',
        found: `${status}, owes nothing and is due`,
        expected: 'what owes nothing is not due',
        mend: 'take it off the outbox',
        remedy: { kind: 'CLEAR_ORDER_DUE', order },
      },
    ];
  }
  const isFound = dueShard === shardName('due', shardOf(orderId, DUE_SHARDS));
  const missed = debts.find(
    ({ dueAtMs }) =>
      dueAtMs === undefined || !isFound || dueKeyMs === undefined || dueKeyMs > dueAtMs,
  );
  if (missed !== undefined) {
    return [
      {
        ...missed.of,
        check: 'due-missing',
        promise: 'P5',
        found: `${missed.status}, owes ${missed.owes} and is not on the outbox`,
        expected: `what owes ${missed.owes} has a time at which the dispatcher looks at it`,
        mend: 'make it due now: the dispatcher moves it on',
        remedy: { kind: 'MAKE_ORDER_DUE', order },
      },
    ];
  }
  return debts.flatMap(({ of, status: is, owes, dueAtMs = 0 }) =>
    dueAtMs + now.overdueAfterMs >= now.nowMs
      ? []
      : [
          {
            ...of,
            check: 'overdue',
            promise: 'P5',
            found: `${is}, owes ${owes} and was due at ${toTimestamp(dueAtMs)}`,
            expected: 'the dispatcher looks at what is due within a few rounds',
            mend: 'see whether the dispatcher runs; do for this one what it would do',
            remedy: { kind: 'DISPATCH_ORDER', orderId },
          } as const,
        ],
  );
}

/** Debts of the system: the order's own move or release, and those of its payments. */
interface Debt {
  readonly of: { readonly orderId: string; readonly paymentId?: string };
  readonly status: string;
  readonly owes: string;
  readonly dueAtMs: number | undefined;
}

function debtsOf(order: Order): Debt[] {
  const { orderId } = order;
  const own = owedBy(order);
  const debts: Debt[] = [];
  if (own !== undefined) {
    debts.push({ of: { orderId }, status: order.status, owes: own, dueAtMs: ownDueMs(order) });
  }
  for (const payment of order.payments) {
    const owes = obligationOf(payment);
    const { paymentId, status } = payment;
    if (owes === undefined) continue;
    debts.push({ of: { orderId, paymentId }, status, owes, dueAtMs: paymentDueMs(payment) });
  }
  return debts;
}

/** The order's own obligation in words; undefined if there is none. */
export function owedBy(order: Order): string | undefined {
  switch (order.status) {
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
    case 'PENDING_PAYMENT':
    case 'PAYMENT_IN_PROGRESS':
      return 'the next move';
    case 'PAYMENT_FAILED':
    case 'ORDER_FAILED':
    case 'INVALID':
    case 'ORDER_CANCELLED':
      return order.releaseOwed === undefined ? undefined : 'a release of stock';
    case 'PAYMENT_DONE':
      return undefined;
    default:
      return assertNever(order);
  }
}

/** Names the payment's obligation at the gateway. */
export function obligationOf(payment: Payment): 'a refund' | 'a void' | undefined {
  if (payment.status === 'CAPTURED' && payment.refundOwed !== undefined) return 'a refund';
  if (payment.status === 'FAILED' && payment.voidOwed !== undefined) return 'a void';
  return undefined;
}
