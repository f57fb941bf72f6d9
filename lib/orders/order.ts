import { MAX_PIECES_PER_LINE } from '../limits.ts';
import type { Money } from '../money.ts';
import { IllegalTransition } from '../platform/errors.ts';

export interface OrderLine {
  readonly productId: string;
  readonly quantity: number;
  /** Frozen when the line is first reserved. */
  readonly unitPrice?: Money;
}

/** What the present reservation intent is for; it decides what a refusal leads to. */
export type ReservationPurpose = 'FIRST' | 'MODIFICATION' | 'PAYMENT_RETRY';

export interface StatusChange {
  /** null for the first status. */
  readonly from: OrderStatus | null;
  readonly to: OrderStatus;
  /** A stable upper-case code: why. */
  readonly reason: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** The user's id, `ordersaga` for the system, or `operator` for whoever redrove a dead letter. */
  readonly by: string;
}

export interface Modification {
  readonly status: 'PENDING' | 'APPLIED' | 'REJECTED';
  readonly items: readonly OrderLine[];
  readonly code?: string;
}

export interface Refund {
  readonly paymentId: string;
  readonly amount: Money;
  readonly at: string;
}

/** What Inventory holds for an order, as far as the order needs to know it. */
export interface ReservedStock {
  readonly revision: number;
  readonly expiresAtMs: number;
  readonly lines: readonly { readonly productId: string; readonly unitPrice: Money }[];
}

/** Inventory asked for a pause; nothing is sent to it before `notBeforeMs`. */
export interface InventoryOutage {
  readonly sinceMs: number;
  readonly notBeforeMs: number;
}

interface OrderBase {
  readonly orderId: string;
  readonly userId: string;
  readonly correlationId: string;
  readonly createdAtMs: number;
  /** Every write of the order; its ETag. */
  readonly version: number;
  /** One per reservation intent (place, modify, retry), fixed through all repeats of a step. */
  readonly revision: number;
  /** One per saga execution. */
  readonly run: number;
  /** One per payment. */
  readonly attempt: number;
  readonly items: readonly OrderLine[];
  readonly total?: Money;
  /** A digest of the items first asked for, which modifications do not change. */
  readonly placedAs: string;
  /** The duplicate guard that names this order. */
  readonly guardKey?: string;
  /** The latest payment, in every status after the first payment was started. */
  readonly paymentId?: string;
  readonly modification?: Modification;
  readonly modifications: number;
  /**
   * A digest of the last keyed request that changed the order: repeated after a crash it is found
   * to be done.
   */
  readonly lastRequest?: string;
  readonly refunds: readonly Refund[];
  readonly history: readonly StatusChange[];
}

/** A state in which the system owes the next move: the dispatcher looks at it at `dueAtMs`. */
interface Owed {
  readonly dueAtMs: number;
}

/** A state that waits for the user. Stock that could not be given back yet is still owed. */
interface Resting {
  readonly releaseOwed?: { readonly revision: number };
  readonly dueAtMs?: number;
}

export interface CreatedOrder extends OrderBase, Owed {
  readonly status: 'CREATED';
}

export interface PendingReservingStockOrder extends OrderBase, Owed {
  readonly status: 'PENDING_RESERVING_STOCK';
  readonly purpose: ReservationPurpose;
  /** For a modification: what Inventory held before it, and until when the user was promised it. */
  readonly former?: { readonly revision: number; readonly expiresAtMs: number };
  /** Found at Inventory after the answer to its reservation was lost for good. */
  readonly adopted?: ReservedStock;
  readonly outage?: InventoryOutage;
  /** For a modification: of the wait for the user that it is to end. */
  readonly waitToken?: string;
}

export interface PendingPaymentOrder extends OrderBase, Owed {
  readonly status: 'PENDING_PAYMENT';
  readonly total: Money;
  /** The revision at which Inventory holds the stock. */
  readonly heldRevision: number;
  readonly reservationExpiresAtMs: number;
  /** The task token of the saga step that waits for the user. */
  readonly waitToken: string;
}

export interface PaymentInProgressOrder extends OrderBase, Owed {
  readonly status: 'PAYMENT_IN_PROGRESS';
  readonly total: Money;
  readonly paymentId: string;
  readonly heldRevision: number;
  /** As promised to the user; the charge extends the reservation itself beyond it. */
  readonly reservationExpiresAtMs: number;
  /** Of the wait for the user; once the gateway has acknowledged, of the wait for that. */
  readonly waitToken?: string;
}

export interface PaymentDoneOrder extends OrderBase {
  readonly status: 'PAYMENT_DONE';
  readonly total: Money;
  readonly paymentId: string;
}

export interface PaymentFailedOrder extends OrderBase, Resting {
  readonly status: 'PAYMENT_FAILED';
  readonly reason: string;
  readonly paymentId: string;
}

export interface OrderFailedOrder extends OrderBase, Resting {
  readonly status: 'ORDER_FAILED';
  readonly reason: string;
}

export interface InvalidOrder extends OrderBase, Resting {
  readonly status: 'INVALID';
  readonly reason: string;
}

export interface CancelledOrder extends OrderBase, Resting {
  readonly status: 'ORDER_CANCELLED';
  readonly reason: string;
}

export type Order =
  | CreatedOrder
  | PendingReservingStockOrder
  | PendingPaymentOrder
  | PaymentInProgressOrder
  | PaymentDoneOrder
  | PaymentFailedOrder
  | OrderFailedOrder
  | InvalidOrder
  | CancelledOrder;

export type OrderStatus = Order['status'];
export type OrderIn<Status extends OrderStatus> = Extract<Order, { status: Status }>;

/** All legal moves, and no others (specification, section 2). `NEW` is before the first write. */
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

/** Statuses that nothing leads out of. */
export function isFinal(status: OrderStatus): boolean {
  return LEGAL_MOVES[status].length === 0;
}

export interface Move {
  readonly reason: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly by: string;
}

/** The fields that only orders in `Status` have. */
export type FieldsOf<Status extends OrderStatus> = Omit<
  OrderIn<Status>,
  Exclude<keyof OrderBase, 'total' | 'paymentId'> | 'status'
>;

/** Changes that a move may bring besides the status's own fields. */
export type BaseChanges = Partial<
  Pick<
    OrderBase,
    | 'revision'
    | 'run'
    | 'attempt'
    | 'items'
    | 'guardKey'
    | 'modification'
    | 'modifications'
    | 'lastRequest'
  >
>;

/**
 * The order after a legal move: version + 1, the change in its history, and only the fields of its
 * new status. Not written yet; the repository writes it on condition of the status and version left.
 * @throws IllegalTransition where the table does not allow it; a move is never ignored.
 */
export function moveOrder<Status extends OrderStatus>(
  order: Order,
  to: Status,
  fields: FieldsOf<Status> & BaseChanges,
  move: Move,
): OrderIn<Status> {
  assertLegalMove(order.status, to, order.orderId);
  const next = {
    ...baseOf(order),
    ...fields,
    status: to,
    version: order.version + 1,
    history: [...order.history, { from: order.status, to, ...move }],
  };
  // The compiler cannot follow a union through a generic spread; `fields` holds what `Status` needs.
  return next as unknown as OrderIn<Status>;
}

/** The same status, other facts: version + 1, no line in the history. */
export function touchOrder<Kind extends Order>(order: Kind, changes: Partial<Kind>): Kind {
  return { ...order, ...changes, version: order.version + 1 };
}

/** @throws IllegalTransition */
function assertLegalMove(from: OrderStatus | 'NEW', to: OrderStatus, orderId: string): void {
  const allowed: readonly OrderStatus[] = LEGAL_MOVES[from];
  if (!allowed.includes(to)) {
    throw new IllegalTransition(
      `The order is ${from}; it cannot become ${to}. Look at its links for what is possible now.`,
      { details: { orderId, orderStatus: from } },
    );
  }
}

/** What an order keeps through every move. */
function baseOf(order: Order): OrderBase {
  return {
    orderId: order.orderId,
    userId: order.userId,
    correlationId: order.correlationId,
    createdAtMs: order.createdAtMs,
    version: order.version,
    revision: order.revision,
    run: order.run,
    attempt: order.attempt,
    items: order.items,
    placedAs: order.placedAs,
    modifications: order.modifications,
    refunds: order.refunds,
    history: order.history,
    ...(order.total === undefined ? {} : { total: order.total }),
    ...(order.guardKey === undefined ? {} : { guardKey: order.guardKey }),
    ...(order.paymentId === undefined ? {} : { paymentId: order.paymentId }),
    ...(order.modification === undefined ? {} : { modification: order.modification }),
    ...(order.lastRequest === undefined ? {} : { lastRequest: order.lastRequest }),
  };
}

/** Quantities that an order takes, in words. */
export const QUANTITY_RANGE = `a whole number from 1 to ${String(MAX_PIECES_PER_LINE)}`;

/**
 * Zero, negative and too large quantities make an order invalid, before equal products are added up
 * and after it. Fractions never get this far.
 */
export function hasBadQuantity(
  lines: readonly { readonly productId: string; readonly quantity: number }[],
): boolean {
  return [...lines, ...mergeLines(lines)].some(
    ({ quantity }) => quantity < 1 || quantity > MAX_PIECES_PER_LINE,
  );
}

/** One line per product, quantities added, in the order of first mention. */
export function mergeLines(
  lines: readonly { readonly productId: string; readonly quantity: number }[],
): OrderLine[] {
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of lines) {
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  }
  return [...quantities].map(([productId, quantity]) => ({ productId, quantity }));
}

/** The same products and quantities, whatever the order of the lines. */
export function sameItems(left: readonly OrderLine[], right: readonly OrderLine[]): boolean {
  return itemsFingerprint(left) === itemsFingerprint(right);
}

/** A stable text of products and quantities. */
export function itemsFingerprint(lines: readonly OrderLine[]): string {
  return JSON.stringify(
    lines
      .map(({ productId, quantity }) => [productId, quantity] as const)
      .sort(([left, fewer], [right, more]) =>
        left === right ? fewer - more : left < right ? -1 : 1,
      ),
  );
}
