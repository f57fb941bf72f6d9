import type { Money } from '../money.ts';
import { assertNever, IllegalTransition } from '../platform/errors.ts';

export interface PaymentChange {
  readonly from: PaymentStatus | null;
  readonly to: PaymentStatus;
  readonly reason: string;
  /** RFC 3339 UTC. */
  readonly at: string;
}

/** Fields that a payment keeps through every move. It is part of its order, which holds user and trace. */
interface PaymentBase {
  /** Holds its order's id: payment-id.ts. */
  readonly paymentId: string;
  /** Counts the payments of the order, from 1. */
  readonly attempt: number;
  /** The reservation that this payment is for; fixed when the payment is created. */
  readonly revision: number;
  /** Fixed when the payment is created: the total the user last saw accepted. */
  readonly amount: Money;
  /** Time of the first entry of its history. */
  readonly createdAtMs: number;
  readonly history: readonly PaymentChange[];
}

/** Created in the write of the order's move; the gateway may or may not know it. */
export interface InitiatedPayment extends PaymentBase {
  readonly status: 'INITIATED';
  /** Leads to the token of the payment's method. */
  readonly methodId: string;
}

/** The gateway's response is unknown or not final; the saga waits for its acknowledgement. */
export interface PendingPayment extends PaymentBase {
  readonly status: 'PENDING';
  readonly methodId: string;
  readonly acknowledgeByMs: number;
}

/** The money must go back at `dueAtMs`: set in the write that found the order given up. */
export interface RefundOwed {
  readonly refundOwed: { readonly reason: string; readonly dueAtMs: number };
}

export interface CapturedPayment extends PaymentBase, Partial<RefundOwed> {
  readonly status: 'CAPTURED';
}

export interface DeclinedPayment extends PaymentBase {
  readonly status: 'DECLINED';
  readonly code: string;
}

/** Void is a tombstone at the gateway: this payment id can never be charged. */
export interface VoidedPayment extends PaymentBase {
  readonly status: 'VOIDED';
  readonly code: string;
}

export interface RefundedPayment extends PaymentBase {
  readonly status: 'REFUNDED';
  readonly code: string;
}

/** Given up. If the gateway may have been asked to charge it, its void is owed. */
interface FailedPayment extends PaymentBase {
  readonly status: 'FAILED';
  readonly code: string;
  readonly voidOwed?: { readonly dueAtMs: number };
}

export type Payment =
  | InitiatedPayment
  | PendingPayment
  | CapturedPayment
  | DeclinedPayment
  | VoidedPayment
  | RefundedPayment
  | FailedPayment;

export type PaymentStatus = Payment['status'];

/** All statuses, for the schemas of stored and of shown payments; both fail to compile if one is missing. */
export const PAYMENT_STATUSES = [
  'INITIATED',
  'PENDING',
  'CAPTURED',
  'DECLINED',
  'VOIDED',
  'REFUNDED',
  'FAILED',
] as const satisfies readonly PaymentStatus[];

export type PaymentIn<Status extends PaymentStatus> = Extract<Payment, { status: Status }>;

/**
 * All legal moves. The gateway decides a capture, so it is recorded even on a payment that was given up
 * (its refund is owed in the same write).
 */
export const LEGAL_PAYMENT_MOVES = {
  NEW: ['INITIATED'],
  INITIATED: ['PENDING', 'CAPTURED', 'DECLINED', 'VOIDED', 'FAILED'],
  PENDING: ['CAPTURED', 'DECLINED', 'VOIDED', 'FAILED'],
  CAPTURED: ['REFUNDED'],
  DECLINED: ['CAPTURED'],
  VOIDED: ['CAPTURED'],
  FAILED: ['CAPTURED', 'VOIDED', 'DECLINED'],
  REFUNDED: [],
} as const satisfies Record<PaymentStatus | 'NEW', readonly PaymentStatus[]>;

/** A payment as it begins, in the write of its order's move. */
export function newPayment(
  facts: Omit<PaymentBase, 'history'> & {
    readonly methodId: string;
    /** The time of `createdAtMs`. */
    readonly at: string;
  },
): InitiatedPayment {
  const { at, ...base } = facts;
  return {
    ...base,
    status: 'INITIATED',
    history: [{ from: null, to: 'INITIATED', reason: 'PAYMENT_STARTED', at }],
  };
}

/** True while it is unknown if the money was captured. A refund that is owed is known. */
export function isUnsettled(payment: Payment): boolean {
  return isOpen(payment) || (payment.status === 'FAILED' && payment.voidOwed !== undefined);
}

/** True while a void or a refund is owed at the gateway. */
export function owesGateway(payment: Payment): boolean {
  return paymentDueMs(payment) !== undefined;
}

/** Time at which the void or the refund that the payment owes is due; undefined if it owes neither. */
export function paymentDueMs(payment: Payment): number | undefined {
  switch (payment.status) {
    case 'CAPTURED':
      return payment.refundOwed?.dueAtMs;
    case 'FAILED':
      return payment.voidOwed?.dueAtMs;
    case 'INITIATED':
    case 'PENDING':
    case 'DECLINED':
    case 'VOIDED':
    case 'REFUNDED':
      return undefined;
    default:
      return assertNever(payment);
  }
}

/** The payment with its debt due at another time; unchanged if it owes nothing. */
export function withDebtDueAt(payment: Payment, dueAtMs: number): Payment {
  if (payment.status === 'CAPTURED' && payment.refundOwed !== undefined) {
    return { ...payment, refundOwed: { ...payment.refundOwed, dueAtMs } };
  }
  return payment.status === 'FAILED' && payment.voidOwed !== undefined
    ? { ...payment, voidOwed: { dueAtMs } }
    : payment;
}

/** Reason for the failure, the void or the refund, also of one that is owed; null if there is none. */
export function codeOf(payment: Payment): string | null {
  if ('code' in payment) return payment.code;
  return payment.status === 'CAPTURED' ? (payment.refundOwed?.reason ?? null) : null;
}

/** Neither captured nor refused yet. */
export function isOpen(payment: Payment): payment is InitiatedPayment | PendingPayment {
  return payment.status === 'INITIATED' || payment.status === 'PENDING';
}

type FieldOf<Kind> = Kind extends unknown ? keyof Kind : never;

/** Fields that leave the payment with its status; the compiler demands each one. */
const STATUS_FIELDS = {
  methodId: true,
  acknowledgeByMs: true,
  refundOwed: true,
  voidOwed: true,
  code: true,
} satisfies Record<Exclude<FieldOf<Payment>, keyof PaymentBase | 'status'>, true>;

type PaymentMoveFields<Kind extends Payment> = Kind extends unknown
  ? Omit<Kind, keyof PaymentBase | 'status'>
  : never;

/**
 * The payment after a legal move: the change in its history, and of the status fields only the new ones
 * (so the method's id goes when the payment settles).
 * @throws IllegalTransition
 */
export function movePayment<Status extends PaymentStatus>(
  payment: Payment,
  to: Status,
  fields: PaymentMoveFields<PaymentIn<Status>>,
  move: { readonly reason: string; readonly at: string },
): PaymentIn<Status> {
  const allowed: readonly PaymentStatus[] = LEGAL_PAYMENT_MOVES[payment.status];
  if (!allowed.includes(to)) {
    throw new IllegalTransition(`The payment is ${payment.status}; it cannot become ${to}.`, {
      details: { paymentId: payment.paymentId, paymentStatus: payment.status },
    });
  }
  const kept: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(payment)) {
    if (!Object.hasOwn(STATUS_FIELDS, field)) kept[field] = value;
  }
  const next = {
    ...kept,
    ...fields,
    status: to,
    history: [...payment.history, { from: payment.status, to, ...move }],
  };
  // The compiler cannot follow a union through a generic spread; `fields` holds what `Status` needs.
  return next as unknown as PaymentIn<Status>;
}
