import type { Reservation } from '../../../../lib/inventory/reservation.ts';
import type { Order, OrderIn, OrderStatus, StatusChange } from '../../../../lib/orders/order.ts';
import { earliestDueMs } from '../../../../lib/orders/order-due.ts';
import type {
  Payment,
  PaymentChange,
  PaymentIn,
  PaymentStatus,
} from '../../../../lib/payments/payment.ts';
import type { Charge } from '../../../../lib/payments/payment-gateway.ts';
import type { Disagreement } from '../../../../tools/doctor/disagreement.ts';
import type { Circumstances, Facts, StoredOrder } from '../../../../tools/doctor/facts.ts';
import { EUR_26, NOW_MS, orderIn, paymentIn } from '../../lib/orders/fakes.ts';

export { EUR_26, NOW_MS };

/** Work is overdue four minutes after it was due. */
export const OVERDUE_AFTER_MS = 240_000;
export const NOW: Circumstances = { nowMs: NOW_MS, overdueAfterMs: OVERDUE_AFTER_MS };

const AT = '2026-03-01T12:00:00.000Z';

/** By hand: the shard of the outbox's index in which the dispatcher finds ord_1. */
const SHARD = 'due#14';

/** By hand: the statuses through which an order reaches each status. */
const WAYS: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  CREATED: ['CREATED'],
  PENDING_RESERVING_STOCK: ['CREATED', 'PENDING_RESERVING_STOCK'],
  PENDING_PAYMENT: ['CREATED', 'PENDING_RESERVING_STOCK', 'PENDING_PAYMENT'],
  PAYMENT_IN_PROGRESS: [
    'CREATED',
    'PENDING_RESERVING_STOCK',
    'PENDING_PAYMENT',
    'PAYMENT_IN_PROGRESS',
  ],
  PAYMENT_DONE: [
    'CREATED',
    'PENDING_RESERVING_STOCK',
    'PENDING_PAYMENT',
    'PAYMENT_IN_PROGRESS',
    'PAYMENT_DONE',
  ],
  PAYMENT_FAILED: [
    'CREATED',
    'PENDING_RESERVING_STOCK',
    'PENDING_PAYMENT',
    'PAYMENT_IN_PROGRESS',
    'PAYMENT_FAILED',
  ],
  ORDER_FAILED: ['CREATED', 'PENDING_RESERVING_STOCK', 'PENDING_PAYMENT', 'ORDER_FAILED'],
  INVALID: ['CREATED', 'PENDING_RESERVING_STOCK', 'INVALID'],
  ORDER_CANCELLED: ['CREATED', 'PENDING_RESERVING_STOCK', 'PENDING_PAYMENT', 'ORDER_CANCELLED'],
};

const PAYMENT_WAYS: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  INITIATED: ['INITIATED'],
  PENDING: ['INITIATED', 'PENDING'],
  CAPTURED: ['INITIATED', 'CAPTURED'],
  DECLINED: ['INITIATED', 'DECLINED'],
  VOIDED: ['INITIATED', 'PENDING', 'VOIDED'],
  REFUNDED: ['INITIATED', 'FAILED', 'CAPTURED', 'REFUNDED'],
  FAILED: ['INITIATED', 'FAILED'],
};

export function historyOf(...way: readonly OrderStatus[]): StatusChange[] {
  return way.map((to, index) => ({
    from: way[index - 1] ?? null,
    to,
    reason: 'TEST',
    at: AT,
    by: 'user',
  }));
}

export function paymentHistoryOf(...way: readonly PaymentStatus[]): PaymentChange[] {
  return way.map((to, index) => ({ from: way[index - 1] ?? null, to, reason: 'TEST', at: AT }));
}

const UNPRICED: readonly OrderStatus[] = ['CREATED', 'PENDING_RESERVING_STOCK', 'INVALID'];

/** An order of two mugs, as the code leaves it in that status. */
export function order<Status extends OrderStatus>(
  status: Status,
  changes: Partial<OrderIn<Status>> = {},
): StoredOrder {
  const priced = UNPRICED.includes(status)
    ? { items: [{ productId: 'mug', quantity: 2 }] }
    : { total: EUR_26 };
  const history = historyOf(...WAYS[status]);
  const item = orderIn(status, { ...priced, history, ...changes });
  const dueKeyMs = earliestDueMs(item);
  return dueKeyMs === undefined
    ? { item, dueShard: undefined }
    : { item: { ...item, dueKeyMs }, dueShard: SHARD };
}

/** A payment of that order, as the code leaves it in that status. */
export function payment<Status extends PaymentStatus>(
  status: Status,
  changes: Partial<PaymentIn<Status>> = {},
): PaymentIn<Status> {
  const history = paymentHistoryOf(...PAYMENT_WAYS[status]);
  return paymentIn(status, { history, ...changes });
}

const LINES = [{ productId: 'mug', quantity: 2, unitPrice: { amount: 1299, currency: 'EUR' } }];

export function held(revision = 3, changes: object = {}): Reservation {
  return {
    status: 'HELD',
    orderId: 'ord_1',
    revision,
    version: 1,
    lines: LINES,
    heldSinceMs: NOW_MS - 300_000,
    expiresAtMs: NOW_MS + 600_000,
    correlationId: 'corr-1',
    ...changes,
  };
}

export function sold(paymentId = 'pay_1', changes: object = {}): Reservation {
  return {
    status: 'CONFIRMED',
    orderId: 'ord_1',
    revision: 3,
    version: 2,
    lines: LINES,
    paymentId,
    ...changes,
  };
}

export function released(revision = 3): Reservation {
  return { status: 'RELEASED', because: 'RELEASED', orderId: 'ord_1', revision, version: 2 };
}

export function charge(status: Charge['status'], changes: Partial<Charge> = {}): Charge {
  return { paymentId: 'pay_1', amount: EUR_26, status, ...changes };
}

export interface Around {
  readonly order?: StoredOrder;
  /** Oldest first; by default those of the order. */
  readonly payments?: readonly Payment[];
  readonly reservation?: Reservation;
  readonly reservationProblem?: string;
  /** Defaults to none. */
  readonly charges?: readonly Charge[] | 'UNKNOWN';
}

export function factsOf({
  order: of,
  payments,
  reservation,
  reservationProblem,
  charges = [],
}: Around): Facts {
  return {
    orderId: 'ord_1',
    order: of === undefined || payments === undefined ? of : withPayments(of, payments),
    reservation,
    ...(reservationProblem === undefined ? {} : { reservationProblem }),
    charges: charges === 'UNKNOWN' ? undefined : charges,
  };
}

function withPayments({ item, ...stored }: StoredOrder, payments: readonly Payment[]): StoredOrder {
  const paid = { ...item, payments } as Order;
  const dueKeyMs = earliestDueMs(paid);
  return dueKeyMs === undefined
    ? { ...stored, item: paid }
    : { ...stored, dueShard: stored.dueShard ?? SHARD, item: { ...paid, dueKeyMs } };
}

/** Check and remedy of each finding: `due-missing: MAKE_ORDER_DUE`, `history: a person`. */
export function inShort(findings: readonly Disagreement[]): string[] {
  return findings.map(({ check, mend, remedy }) => {
    const isForPerson = mend.startsWith('a person:');
    return `${check}: ${remedy?.kind ?? (isForPerson ? 'a person' : 'nobody')}`;
  });
}
