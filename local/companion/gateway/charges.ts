import { randomUUID } from 'node:crypto';
import type { Money } from '../../../lib/money.ts';
import { assertNever } from '../../../lib/platform/errors.ts';
import { type AcknowledgedBy, PAYMENT_METHODS, UNKNOWN_METHOD } from './payment-methods.ts';

interface Recorded {
  readonly chargeId: string;
  readonly paymentId: string;
  readonly orderId: string;
  readonly amount: Money;
  /** Absent if it is what was captured. */
  readonly asked?: Money;
}

interface Captured extends Recorded {
  readonly status: 'CAPTURED';
  readonly answerLost: boolean;
}

interface Refunded extends Recorded {
  readonly status: 'REFUNDED';
  readonly answerLost: boolean;
}

interface Declined extends Recorded {
  readonly status: 'DECLINED';
  readonly code: string;
}

interface Pending extends Recorded {
  readonly status: 'PENDING';
  /** Acknowledgements that are still to be sent. A stored record outlives the timers of the process that made it. */
  readonly acknowledgedBy: AcknowledgedBy;
}

/**
 * Called for each new charge with the acknowledgements to send, and again for each pending charge after a
 * restart.
 */
export type ChargeListener = (charge: Charge, acknowledgedBy: AcknowledgedBy) => void;

interface Voided extends Recorded {
  readonly status: 'VOIDED';
}

/** A payment id that was voided before any charge of it arrived. It will never be charged. */
interface Tombstone {
  readonly status: 'VOIDED';
  readonly chargeId: null;
  readonly paymentId: string;
  /** `null` until a call states the order and the amount. */
  readonly orderId: string | null;
  readonly amount: Money | null;
}

export type Charge = Captured | Refunded | Declined | Pending | Voided;
export type ChargeRecord = Charge | Tombstone;

/** Keeps the records for a later start. An appended record outlives the process. */
export interface ChargeJournal {
  /** Every record ever appended, oldest first. The last record of a payment counts. */
  read(): readonly ChargeRecord[];
  append(record: ChargeRecord): void;
}

export interface LedgerOptions {
  readonly journal?: ChargeJournal | undefined;
  readonly newId?: (() => string) | undefined;
}

export interface ChargeRequest {
  readonly paymentId: string;
  readonly orderId: string;
  readonly amount: Money;
  readonly token: string;
}

export type ChargeResult =
  | { readonly result: 'ANSWERED'; readonly record: ChargeRecord }
  | { readonly result: 'ANSWER_LOST' }
  | { readonly result: 'UNAVAILABLE' }
  | { readonly result: 'REFUSED' }
  | { readonly result: 'IDEMPOTENCY_CONFLICT' };

export type RefundResult =
  | { readonly result: 'REFUNDED'; readonly record: Refunded }
  | { readonly result: 'NOT_CAPTURED'; readonly record: ChargeRecord }
  | { readonly result: 'UNKNOWN_PAYMENT' };

/**
 * The gateway's ledger: one record per payment id, in memory and in the journal if there is one. No method awaits
 * anything. So concurrent calls are decided one after the other, and none sees half a change.
 */
export class ChargeLedger {
  /** In the order of first calls: replacing a record keeps its place. */
  readonly #records = new Map<string, ChargeRecord>();
  readonly #refusals = new Map<string, number>();
  readonly #onCharge: ChargeListener;
  readonly #journal: ChargeJournal | undefined;
  readonly #newId: () => string;

  /** @param options.newId makes the last part of a charge's id. */
  constructor(
    onCharge: ChargeListener = () => undefined,
    { journal, newId = randomUUID }: LedgerOptions = {},
  ) {
    this.#onCharge = onCharge;
    this.#journal = journal;
    this.#newId = newId;
    for (const record of journal?.read() ?? []) this.#records.set(record.paymentId, record);
  }

  /** Reports every stored charge that is still pending to the listener. Call it once, after a start. */
  resume(): void {
    for (const record of this.#records.values()) {
      if (record.status === 'PENDING') this.#onCharge(record, record.acknowledgedBy);
    }
  }

  /** Charges once per payment id. A repeated call gets the record's current state. */
  charge(request: ChargeRequest): ChargeResult {
    const record = this.#records.get(request.paymentId);
    return record === undefined ? this.#chargeFirst(request) : this.#replay(record, request);
  }

  find(paymentId: string): ChargeRecord | undefined {
    return this.#records.get(paymentId);
  }

  /** The charges of an order, oldest first. Tombstones never were a charge, so the list leaves them out. */
  listByOrder(orderId: string): readonly Charge[] {
    return [...this.#records.values()].filter(
      (record): record is Charge => record.chargeId !== null && record.orderId === orderId,
    );
  }

  /**
   * Voids a pending charge. For an unknown payment id it leaves a tombstone, which a late charge then finds. It
   * does not change a settled charge: the caller checks the status.
   */
  void(paymentId: string, orderId: string | null, amount: Money | null): ChargeRecord {
    const record = this.#records.get(paymentId);
    if (record === undefined) {
      return this.#store({ status: 'VOIDED', chargeId: null, paymentId, orderId, amount });
    }
    switch (record.status) {
      case 'PENDING':
        return this.#store({ ...record, status: 'VOIDED' });
      case 'VOIDED':
      case 'CAPTURED':
      case 'REFUNDED':
      case 'DECLINED':
        return record;
      default:
        return assertNever(record);
    }
  }

  /**
   * Captures a pending charge.
   * @returns the charge if it was captured, now or before, even if it was refunded since.
   */
  capture(paymentId: string): Captured | Refunded | undefined {
    const record = this.#records.get(paymentId);
    switch (record?.status) {
      case 'PENDING':
        return this.#store({ ...record, status: 'CAPTURED', answerLost: false });
      case 'CAPTURED':
      case 'REFUNDED':
        return record;
      case 'VOIDED':
      case 'DECLINED':
      case undefined:
        return undefined;
      default:
        return assertNever(record);
    }
  }

  /** Refunds a captured charge once. A repeated call finds it refunded. */
  refund(paymentId: string): RefundResult {
    const record = this.#records.get(paymentId);
    if (record === undefined) return { result: 'UNKNOWN_PAYMENT' };
    switch (record.status) {
      case 'CAPTURED':
        return { result: 'REFUNDED', record: this.#store({ ...record, status: 'REFUNDED' }) };
      case 'REFUNDED':
        return { result: 'REFUNDED', record };
      case 'PENDING':
      case 'VOIDED':
      case 'DECLINED':
        return { result: 'NOT_CAPTURED', record };
      default:
        return assertNever(record);
    }
  }

  #chargeFirst({ token, ...request }: ChargeRequest): ChargeResult {
    const behaviour = PAYMENT_METHODS.get(token)?.behaviour ?? UNKNOWN_METHOD;
    const recorded = { ...request, chargeId: `ch_${this.#newId()}` };
    switch (behaviour.outcome) {
      case 'CAPTURED': {
        const refusals = this.#refusals.get(request.paymentId) ?? 0;
        if (refusals < behaviour.refusalsBefore) {
          this.#refusals.set(request.paymentId, refusals + 1);
          return { result: 'UNAVAILABLE' };
        }
        const { answerLost, acknowledgedBy, captures } = behaviour;
        const charge = this.#store<Captured>({
          ...recorded,
          ...(captures && { amount: captures(request.amount), asked: request.amount }),
          status: 'CAPTURED',
          answerLost,
        });
        this.#onCharge(charge, acknowledgedBy);
        return answer(charge);
      }
      case 'DECLINED':
        return answer(this.#store({ ...recorded, status: 'DECLINED', code: behaviour.code }));
      case 'PENDING': {
        const { acknowledgedBy } = behaviour;
        const charge = this.#store<Pending>({ ...recorded, status: 'PENDING', acknowledgedBy });
        this.#onCharge(charge, acknowledgedBy);
        return answer(charge);
      }
      case 'REFUSED':
      case 'UNAVAILABLE':
        return { result: behaviour.outcome };
      default:
        return assertNever(behaviour);
    }
  }

  #replay(record: ChargeRecord, { orderId, amount }: ChargeRequest): ChargeResult {
    const asked = ('asked' in record ? record.asked : undefined) ?? record.amount;
    const isSameCharge =
      (record.orderId === null || record.orderId === orderId) &&
      (asked === null || (asked.amount === amount.amount && asked.currency === amount.currency));
    if (!isSameCharge) return { result: 'IDEMPOTENCY_CONFLICT' };
    // The late charge supplies the fields that the earlier void may have lacked.
    if (record.chargeId === null) return answer(this.#store({ ...record, orderId, amount }));
    return answer(record);
  }

  #store<Stored extends ChargeRecord>(record: Stored): Stored {
    this.#journal?.append(record);
    this.#records.set(record.paymentId, record);
    return record;
  }
}

function answer(record: ChargeRecord): ChargeResult {
  switch (record.status) {
    case 'CAPTURED':
    case 'REFUNDED':
      // Drops the answer to a repeated call as well: a retry must not learn the outcome that only a query or an
      // acknowledgement tells.
      return record.answerLost ? { result: 'ANSWER_LOST' } : { result: 'ANSWERED', record };
    case 'DECLINED':
    case 'PENDING':
    case 'VOIDED':
      return { result: 'ANSWERED', record };
    default:
      return assertNever(record);
  }
}
