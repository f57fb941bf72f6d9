import type { Payment } from '../payments/payment.ts';
import { IllegalTransition } from '../platform/errors.ts';
import type { Order, OrderBase, OrderIn, OrderStatus, Payments, Role } from './order.ts';

/**
 * All legal moves, and no others (specification, section 2). `NEW` is before the first write. order.ts draws them;
 * torture/legal-moves.ts has them once more by hand, as tests and torture expect them.
 */
export const LEGAL_MOVES = {
  NEW: ['CREATED', 'INVALID'],
  CREATED: ['PENDING_RESERVING_STOCK', 'ORDER_CANCELLED'],
  PENDING_RESERVING_STOCK: [
    'PENDING_PAYMENT',
    'PAYMENT_IN_PROGRESS',
    'INVALID',
    'ORDER_FAILED',
    'PAYMENT_FAILED',
    'ORDER_CANCELLED',
  ],
  PENDING_PAYMENT: [
    'PAYMENT_IN_PROGRESS',
    'PENDING_RESERVING_STOCK',
    'ORDER_FAILED',
    'ORDER_CANCELLED',
  ],
  PAYMENT_IN_PROGRESS: ['PAYMENT_DONE', 'PAYMENT_FAILED', 'PENDING_RESERVING_STOCK'],
  PAYMENT_DONE: [],
  PAYMENT_FAILED: ['PENDING_RESERVING_STOCK', 'ORDER_CANCELLED'],
  ORDER_FAILED: ['CREATED', 'ORDER_CANCELLED'],
  INVALID: [],
  ORDER_CANCELLED: [],
} as const satisfies Record<OrderStatus | 'NEW', readonly OrderStatus[]>;

/** True if no move leads out of the status. */
export function isFinal(status: OrderStatus): boolean {
  return LEGAL_MOVES[status].length === 0;
}

type FieldOf<Kind> = Kind extends unknown ? keyof Kind : never;

/**
 * Fields that belong to a status, and leave the order with it. The compiler demands every field that
 * is not OrderBase's; those of OrderBase stay.
 */
const STATUS_FIELDS = {
  dueAtMs: true,
  releaseOwed: true,
  purpose: true,
  former: true,
  adopted: true,
  outage: true,
  heldRevision: true,
  reservationExpiresAtMs: true,
  reason: true,
} satisfies Record<Exclude<FieldOf<Order>, keyof OrderBase | 'status'>, true>;

/** Fields of OrderBase that some statuses demand. */
type DemandedField = 'total' | 'modification';

type MoveFieldsOf<Kind extends Order> = Kind extends unknown
  ? Omit<Kind, Exclude<keyof OrderBase, DemandedField> | 'status'> & PaymentsOf<Kind>
  : never;

/** A move into a status that demands a payment names the payments, which stay in every other move. */
type PaymentsOf<Kind extends Order> = Kind extends { readonly payments: Payments }
  ? { readonly payments: Payments }
  : { readonly payments?: readonly Payment[] };

/** Changes of OrderBase's other fields that a move may bring. */
export type BaseChanges = Partial<
  Pick<OrderBase, 'revision' | 'run' | 'items' | 'modifications' | 'lastRequest'>
>;

export interface Move {
  readonly reason: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly by: Role;
}

/**
 * The order after a legal move: both counters + 1, the change in its history, and of the status fields only
 * the new ones. Not written yet; the repository writes it if status and `writes` are still as read.
 * @throws IllegalTransition if LEGAL_MOVES does not allow the move.
 */
export function moveOrder<Status extends OrderStatus>(
  order: Order,
  to: Status,
  fields: MoveFieldsOf<OrderIn<Status>> & BaseChanges,
  move: Move,
): OrderIn<Status> {
  const { orderId, status: from } = order;
  const allowed: readonly OrderStatus[] = LEGAL_MOVES[from];
  if (!allowed.includes(to)) {
    throw new IllegalTransition(
      `The order is ${from}; it cannot become ${to}. Look at its links for what is possible now.`,
      { details: { orderId, orderStatus: from } },
    );
  }
  const kept: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(order)) {
    if (!Object.hasOwn(STATUS_FIELDS, field)) kept[field] = value;
  }
  const next = {
    ...kept,
    ...fields,
    status: to,
    version: order.version + 1,
    writes: order.writes + 1,
    history: [...order.history, { from, to, ...move }],
  };
  // The compiler cannot follow a union through a generic spread; `fields` holds what `Status` needs.
  return next as unknown as OrderIn<Status>;
}

/**
 * The same status with other facts that a caller can see (http/responses.ts): both counters + 1, no line in the
 * history.
 */
export function changeOrder<Kind extends Order>(order: Kind, changes: Partial<Kind>): Kind {
  return { ...touchOrder(order, changes), version: order.version + 1 };
}

/** The same status with other facts that no caller can see: the version stays, so it refuses nobody's `If-Match`. */
export function touchOrder<Kind extends Order>(order: Kind, changes: Partial<Kind>): Kind {
  return { ...order, ...changes, writes: order.writes + 1 };
}
