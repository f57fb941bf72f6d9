import type { Order } from '../../../lib/orders/order.ts';
import type { Payment } from '../../../lib/payments/payment.ts';
import { toTimestamp } from '../../../lib/platform/clock.ts';
import { DUE_SHARDS, shardName } from '../../../lib/platform/dynamo/items.ts';
import { assertNever } from '../../../lib/platform/errors.ts';
import { shardOf } from '../../../lib/platform/ids.ts';
import type { Disagreement } from '../disagreement.ts';
import type { Circumstances, StoredOrder, StoredPayment } from '../facts.ts';
import type { Remedy } from '../remedies.ts';

/** The timer that the outbox holds for an item, and the timer that it should hold. */
interface Timer {
  readonly of: { readonly orderId: string; readonly paymentId?: string };
  readonly status: string;
  /** The system's obligation in words; undefined if there is none. */
  readonly owes: string | undefined;
  readonly dueAtMs: number | undefined;
  readonly dueShard: string | undefined;
  readonly rightShard: string;
  readonly remedies: {
    readonly makeDue: Remedy;
    readonly clearDue: Remedy;
    readonly dispatch: Remedy;
  };
}

/** P5: an order that the system must move on has a running timer; an order at rest has none. */
export function orderDue({ item: order, dueShard }: StoredOrder, now: Circumstances) {
  const { orderId, status } = order;
  return brokenTimer(now, {
    of: { orderId },
    status,
    owes: owedBy(order),
    dueAtMs: dueAtMsOf(order),
    dueShard,
    rightShard: shardName('due', shardOf(orderId, DUE_SHARDS)),
    remedies: {
      makeDue: { kind: 'MAKE_ORDER_DUE', order },
      clearDue: { kind: 'CLEAR_ORDER_DUE', order },
      dispatch: { kind: 'DISPATCH_ORDER', orderId },
    },
  });
}

/** P5 for a payment: a void or a refund that is owed has a running timer. */
export function paymentDue({ item: payment, dueShard }: StoredPayment, now: Circumstances) {
  const { orderId, paymentId, status } = payment;
  return brokenTimer(now, {
    of: { orderId, paymentId },
    status,
    owes: obligationOf(payment),
    dueAtMs: dueAtMsOf(payment),
    dueShard,
    rightShard: shardName('due', shardOf(paymentId, DUE_SHARDS)),
    remedies: {
      makeDue: { kind: 'MAKE_PAYMENT_DUE', payment },
      clearDue: { kind: 'CLEAR_PAYMENT_DUE', payment },
      dispatch: { kind: 'DISPATCH_PAYMENT', paymentId },
    },
  });
}

function brokenTimer(
  { nowMs, overdueAfterMs }: Circumstances,
  { of, status, owes, dueAtMs, dueShard, rightShard, remedies }: Timer,
): Disagreement[] {
  if (owes === undefined) {
    if (dueAtMs === undefined && dueShard === undefined) return [];
    return [
      {
        ...of,
        check: 'due-for-nothing',
        promise: 'P5',
        found: `${status}, owes nothing and is due`,
        expected: 'what owes nothing is not due',
        mend: 'take it off the outbox',
        remedy: remedies.clearDue,
      },
    ];
  }
  if (dueAtMs === undefined || dueShard !== rightShard) {
    return [
      {
        ...of,
        check: 'due-missing',
        promise: 'P5',
        found: `${status}, owes ${owes} and is not on the outbox`,
        expected: `what owes ${owes} has a time at which the dispatcher looks at it`,
        mend: 'make it due now: the dispatcher moves it on',
        remedy: remedies.makeDue,
      },
    ];
  }
  if (dueAtMs + overdueAfterMs >= nowMs) return [];
  return [
    {
      ...of,
      check: 'overdue',
      promise: 'P5',
      found: `${status}, owes ${owes} and was due at ${toTimestamp(dueAtMs)}`,
      expected: 'the dispatcher looks at what is due within a few rounds',
      mend: 'see whether the dispatcher runs; do for this one what it would do',
      remedy: remedies.dispatch,
    },
  ];
}

function owedBy(order: Order): string | undefined {
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
  if (payment.status === 'FAILED' && payment.voidOwed === true) return 'a void';
  return undefined;
}

function dueAtMsOf(item: Order | Payment): number | undefined {
  return 'dueAtMs' in item ? item.dueAtMs : undefined;
}
