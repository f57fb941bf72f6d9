import type { Money } from '../money.ts';
import type { Payment } from '../payments/payment.ts';

/*
 * The life of an order.
 *
 *                     (new) ─────────────────────────────────────────┐
 *                       │                                            v
 *                       v                                         INVALID
 *                    CREATED <──────────────── ORDER_FAILED          ^
 *                       │                        ^      ^            │
 *                       v                        │      │            │
 *   ┌────> PENDING_RESERVING_STOCK ──────────────┴──────│────────────┘
 *   │          ^               ^                        │
 *   │          v               │                        │
 *   │    PENDING_PAYMENT ──────│────────────────────────┘
 *   │          │               │
 *   v          v               v
 *  PAYMENT_IN_PROGRESS ──> PAYMENT_FAILED
 *              │
 *              v
 *        PAYMENT_DONE              ORDER_CANCELLED is not drawn.
 *
 * Every legal move, and the function that makes it:
 *
 *   (new)                   -> CREATED                  placeOrder          place-order.ts
 *   (new)                   -> INVALID                  placeOrder          place-order.ts
 *   CREATED                 -> PENDING_RESERVING_STOCK  reserveStock        saga/reserve-stock.ts
 *   PENDING_RESERVING_STOCK -> PENDING_PAYMENT          reserveStock        saga/reserve-stock.ts
 *   PENDING_RESERVING_STOCK -> PAYMENT_IN_PROGRESS      reserveStock        saga/reserve-stock.ts
 *   PENDING_RESERVING_STOCK -> INVALID                  rejectReservation   saga/reject-reservation.ts
 *   PENDING_RESERVING_STOCK -> ORDER_FAILED             rejectReservation   saga/reject-reservation.ts
 *                                                       abandonReservation  saga/reject-reservation.ts
 *   PENDING_RESERVING_STOCK -> PAYMENT_FAILED           rejectReservation   saga/reject-reservation.ts
 *                                                       abandonReservation  saga/reject-reservation.ts
 *   PENDING_PAYMENT         -> PAYMENT_IN_PROGRESS      startPayment        start-payment.ts
 *   PENDING_PAYMENT         -> PENDING_RESERVING_STOCK  modifyOrder         modify-order.ts
 *   PENDING_PAYMENT         -> ORDER_FAILED             expireOrder         saga/expire-order.ts
 *   PAYMENT_IN_PROGRESS     -> PAYMENT_DONE             confirmOrder        saga/confirm-order.ts
 *   PAYMENT_IN_PROGRESS     -> PAYMENT_FAILED           compensate          saga/compensate.ts
 *                                                       queueCompensation   saga/queue-compensation.ts
 *   PAYMENT_IN_PROGRESS     -> PENDING_RESERVING_STOCK  settlePayment       saga/settle-payment.ts
 *   PAYMENT_FAILED          -> PENDING_RESERVING_STOCK  retryPayment        retry-payment.ts
 *   ORDER_FAILED            -> CREATED                  retryOrder          retry-order.ts
 *                                                       redrive             recovery/redrive.ts
 *   CREATED, PENDING_RESERVING_STOCK, PENDING_PAYMENT,
 *   PAYMENT_FAILED, ORDER_FAILED -> ORDER_CANCELLED     cancelOrder         cancel-order.ts
 *
 * In each status: the owner of the next move, Inventory's reservation, and the timer. The dispatcher
 * (recovery/dispatch-due-work.ts) acts at `dueAtMs`; deadlines are in recovery/deadlines.ts. Besides, each payment
 * has a timer of its own while its void or refund is owed.
 *
 *   CREATED                  The saga. Nothing is reserved. After `dispatchMs` the dispatcher starts
 *                            the run.
 *   PENDING_RESERVING_STOCK  The saga. FIRST and PAYMENT_RETRY: the stock at `revision` may be held.
 *                            MODIFICATION: the stock at `former.revision` or at `revision` is held.
 *                            After `reservingMs` the dispatcher signals or restarts the saga.
 *   PENDING_PAYMENT          The user. The stock at `heldRevision` is held until
 *                            `reservationExpiresAtMs` (RESERVATION_TTL_SECONDS, also the time-out of
 *                            ReserveStock); then expireOrder fails the order and compensate releases
 *                            the stock. Inventory holds it longer, by `allowanceMs`; then its sweeper is the
 *                            backstop.
 *   PAYMENT_IN_PROGRESS      The saga. The stock at `heldRevision` is held for at least `holdMs` from the charge.
 *                            After `dispatchMs`, then `payingMs`, the dispatcher signals or restarts
 *                            the saga.
 *   PAYMENT_DONE             Nobody. The stock is sold. No timer.
 *   PAYMENT_FAILED           The user. Nothing is reserved, except at `releaseOwed.revision`; while that
 *                            is owed, the dispatcher asks the compensation queue again.
 *   ORDER_FAILED             As PAYMENT_FAILED.
 *   INVALID, ORDER_CANCELLED Nobody. The stock as in PAYMENT_FAILED.
 */

export interface OrderLine {
  readonly productId: string;
  readonly quantity: number;
  /** Frozen when the line is first reserved. */
  readonly unitPrice?: Money;
}

export interface StatusChange {
  /** null for the first status. */
  readonly from: OrderStatus | null;
  readonly to: OrderStatus;
  /** Stable upper-case code. */
  readonly reason: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly by: Role;
}

/** Who moved an order: its user, the system, or an operator who redrove a dead letter. */
export type Role = (typeof ROLES)[number];

/** All roles, for the schemas of stored and of shown orders. */
export const ROLES = ['user', 'ordersaga', 'operator'] as const;

export interface PendingModification {
  readonly status: 'PENDING';
  readonly items: readonly OrderLine[];
}

export interface RejectedModification {
  readonly status: 'REJECTED';
  readonly items: readonly OrderLine[];
  readonly code: string;
}

interface AppliedModification {
  readonly status: 'APPLIED';
  readonly items: readonly OrderLine[];
}

export type Modification = PendingModification | AppliedModification | RejectedModification;

/** Payments of an order that has at least one. */
export type Payments = readonly [Payment, ...Payment[]];

/** Inventory's reservation, as far as the order needs it. */
export interface ReservedStock {
  readonly revision: number;
  readonly expiresAtMs: number;
  readonly lines: readonly { readonly productId: string; readonly unitPrice: Money }[];
}

/** A product because of which Inventory refused to reserve. */
export interface RefusedProduct {
  /** Code of the refusal. */
  readonly code: string;
  /** Inventory's words for the user. */
  readonly detail: string;
  readonly productId: string;
  /** Pieces that could be ordered at that moment. */
  readonly available?: number;
  /** Pieces that one order may have. */
  readonly maxPerOrder?: number;
}

/** Inventory fails since `sinceMs`, or asked for a pause; no step calls it before `notBeforeMs`. */
interface InventoryOutage {
  readonly sinceMs: number;
  readonly notBeforeMs: number;
}

/** Fields that an order keeps through every move. */
export interface OrderBase {
  readonly orderId: string;
  readonly userId: string;
  readonly correlationId: string;
  readonly createdAtMs: number;
  /** Counts the changes that a caller can see; the ETag. */
  readonly version: number;
  /** Counts the writes of the item, which every write is conditional on. Shown nowhere. */
  readonly writes: number;
  /** One per reservation intent (place, modify, retry), fixed through all repeats of a step. */
  readonly revision: number;
  /** One per saga execution. */
  readonly run: number;
  readonly items: readonly OrderLine[];
  /** Present once stock was reserved. */
  readonly total?: Money;
  /** Digest of the items as placed; modifications do not change it. */
  readonly placedAs: string;
  /** Oldest first; the last one is the current one. Each follows a run or a modification. */
  readonly payments: readonly Payment[];
  readonly modification?: Modification;
  readonly modifications: number;
  /** Of Inventory's latest refusal, written before what it leads to; shown while that stands (refused-product.ts). */
  readonly refused?: RefusedProduct;
  /** Digest of the last keyed request that changed the order, so that its repetition changes nothing. */
  readonly lastRequest?: string;
  readonly history: readonly StatusChange[];
  /**
   * Its place in the outbox's index, as it was read: the time at which the dispatcher finds the order, never later
   * than the earliest time of what is owed. Only the write of the order changes it (stored-order.ts).
   */
  readonly dueKeyMs?: number;
}

/** An order with a payment: it has a total, too. */
interface PayingBase extends OrderBase {
  readonly total: Money;
  readonly payments: Payments;
}

/** The system owes the next move of the order itself, at `dueAtMs`. A payment's debt has a time of its own. */
interface Owed {
  readonly dueAtMs: number;
}

/** Stock that is not given back yet. */
export interface ReleaseOwed extends Owed {
  readonly releaseOwed: { readonly revision: number };
}

/** At rest until its user acts; due only while a release is owed. */
type Resting = ReleaseOwed | { readonly releaseOwed?: never; readonly dueAtMs?: never };

export interface CreatedOrder extends OrderBase, Owed {
  readonly status: 'CREATED';
}

interface Reserving extends OrderBase, Owed {
  readonly status: 'PENDING_RESERVING_STOCK';
  readonly outage?: InventoryOutage;
}

interface FirstReservation extends Reserving {
  readonly purpose: 'FIRST';
}

export interface ModifiedReservation extends Reserving {
  readonly purpose: 'MODIFICATION';
  readonly total: Money;
  readonly modification: PendingModification | RejectedModification;
  /** The reservation before the modification, and the time until which the user was promised it. */
  readonly former: { readonly revision: number; readonly expiresAtMs: number };
  /** Reservation of the new items, found at Inventory after all retries had failed. */
  readonly adopted?: ReservedStock;
}

/** The stock of a failed payment is reserved again; its new payment is already among its payments. */
export interface RetriedReservation extends Reserving, PayingBase {
  readonly purpose: 'PAYMENT_RETRY';
  readonly total: Money;
  readonly payments: Payments;
}

/** The purpose decides what a refusal leads to (specification, section 2). */
export type PendingReservingStockOrder =
  | FirstReservation
  | ModifiedReservation
  | RetriedReservation;

export interface PendingPaymentOrder extends OrderBase, Owed {
  readonly status: 'PENDING_PAYMENT';
  readonly total: Money;
  /** The revision at which Inventory holds the stock. */
  readonly heldRevision: number;
  readonly reservationExpiresAtMs: number;
}

export interface PaymentInProgressOrder extends PayingBase, Owed {
  readonly status: 'PAYMENT_IN_PROGRESS';
  readonly heldRevision: number;
  /** As promised to the user; the hold outlasts it. */
  readonly reservationExpiresAtMs: number;
}

export interface PaymentDoneOrder extends PayingBase {
  readonly status: 'PAYMENT_DONE';
}

export type PaymentFailedOrder = PayingBase &
  Resting & {
    readonly status: 'PAYMENT_FAILED';
    readonly reason: string;
  };

export type OrderFailedOrder = OrderBase &
  Resting & { readonly status: 'ORDER_FAILED'; readonly reason: string };

export type InvalidOrder = OrderBase &
  Resting & { readonly status: 'INVALID'; readonly reason: string };

export type CancelledOrder = OrderBase &
  Resting & { readonly status: 'ORDER_CANCELLED'; readonly reason: string };

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

/** All statuses, for the schemas of stored and of shown orders; both fail to compile if one is missing. */
export const ORDER_STATUSES = [
  'CREATED',
  'PENDING_RESERVING_STOCK',
  'PENDING_PAYMENT',
  'PAYMENT_IN_PROGRESS',
  'PAYMENT_DONE',
  'PAYMENT_FAILED',
  'ORDER_FAILED',
  'INVALID',
  'ORDER_CANCELLED',
] as const satisfies readonly OrderStatus[];

export type OrderIn<Status extends OrderStatus> = Extract<Order, { status: Status }>;
