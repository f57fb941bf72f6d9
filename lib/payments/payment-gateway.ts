import type { Money } from '../money.ts';

/** What the gateway knows of a payment id. `PENDING`: accepted, the outcome comes later. */
export type ChargeOutcome =
  | { readonly status: 'CAPTURED' }
  | { readonly status: 'REFUNDED' }
  | { readonly status: 'DECLINED'; readonly code: string }
  | { readonly status: 'VOIDED' }
  | { readonly status: 'PENDING' };

/** One entry of the gateway's own books. */
export interface Charge {
  readonly paymentId: string;
  readonly amount: Money;
  readonly status: ChargeOutcome['status'];
}

export interface ChargeRequest {
  /** The idempotency key: however often it is sent, it charges once. */
  readonly paymentId: string;
  readonly orderId: string;
  readonly amount: Money;
  readonly methodToken: string;
}

/**
 * The port to a payment provider. Every method is idempotent by payment id and throws
 * GatewayUnavailable (it said so itself) or GatewayUnknown (no answer came: the outcome is open).
 */
export interface PaymentGateway {
  charge(request: ChargeRequest): Promise<ChargeOutcome>;
  /** undefined: the gateway has never heard of it. */
  findCharge(paymentId: string): Promise<ChargeOutcome | undefined>;
  /**
   * All that was charged, or tried to be, for an order. A payment id that was voided before any
   * charge of it came is not in the list.
   */
  listCharges(orderId: string): Promise<readonly Charge[]>;
  /** A tombstone: what is not captured now never will be. Answers the status as it then is. */
  void(payment: Pick<ChargeRequest, 'paymentId' | 'orderId' | 'amount'>): Promise<ChargeOutcome>;
  refund(paymentId: string): Promise<ChargeOutcome>;
}
