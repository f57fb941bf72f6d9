import type { Money } from '../money.ts';

/** Status of a charge at the gateway. `PENDING`: accepted, the outcome comes later. */
export type ChargeOutcome =
  | { readonly status: 'CAPTURED' }
  | { readonly status: 'REFUNDED' }
  | { readonly status: 'DECLINED'; readonly code: string }
  | { readonly status: 'VOIDED' }
  /** Captured, but with another amount or currency than was asked for. It is to go back as it was captured. */
  | { readonly status: 'MISCHARGED' }
  | { readonly status: 'PENDING' };

/** One entry of the gateway's own books. */
export interface Charge {
  readonly paymentId: string;
  readonly amount: Money;
  readonly status: SentStatus;
}

/** Statuses that a gateway sends. */
export type SentStatus = Exclude<ChargeOutcome['status'], 'MISCHARGED'>;

/** A charge is believed only if it has this id, and a capture only if it has this amount. */
export type AskedCharge = Pick<ChargeRequest, 'paymentId' | 'amount'>;

export interface ChargeRequest {
  /** Idempotency key: sent any number of times, it charges once. */
  readonly paymentId: string;
  readonly orderId: string;
  readonly amount: Money;
  readonly methodToken: string;
}

/**
 * Port to a payment provider. Every method is idempotent by payment id. It throws GatewayUnavailable
 * if the provider refused to work now, and GatewayUnknown if no answer came, or none that is to be believed: then the
 * effect is unknown.
 */
export interface PaymentGateway {
  /** @throws ChargeRefused: a definite no to this request; ask what became of the payment. */
  charge(request: ChargeRequest): Promise<ChargeOutcome>;
  /** @returns undefined if the gateway does not know the payment id. */
  findCharge(asked: AskedCharge): Promise<ChargeOutcome | undefined>;
  /**
   * Lists all charges of an order, also declined ones. A payment id that was voided before it was
   * charged is not in the list.
   */
  listCharges(orderId: string): Promise<readonly Charge[]>;
  /** Stores a tombstone: a payment that is not captured now never will be. @returns the status after it. */
  void(payment: AskedCharge & Pick<ChargeRequest, 'orderId'>): Promise<ChargeOutcome>;
  /** Gives back all that was captured. */
  refund(asked: AskedCharge): Promise<ChargeOutcome>;
}
