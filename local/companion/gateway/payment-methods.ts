/** How the gateway treats the first charge of a payment id. */
export type Behaviour =
  | {
      readonly outcome: 'CAPTURED';
      /** How many calls of one payment id are answered 503 before it is captured. */
      readonly refusalsBefore: number;
      /** Every answer to the charge call is lost; only a query tells. */
      readonly answerLost: boolean;
    }
  | { readonly outcome: 'DECLINED'; readonly code: string }
  | { readonly outcome: 'PENDING' }
  | { readonly outcome: 'UNAVAILABLE' };

export interface PaymentMethod {
  /** One line for the index at `/`. */
  readonly summary: string;
  readonly behaviour: Behaviour;
}

const methods: Readonly<Record<string, PaymentMethod>> = {
  tok_ok: {
    summary: 'captured at once',
    behaviour: { outcome: 'CAPTURED', refusalsBefore: 0, answerLost: false },
  },
  tok_declined: {
    summary: 'declined',
    behaviour: { outcome: 'DECLINED', code: 'DECLINED' },
  },
  tok_insufficient_funds: {
    summary: 'declined for insufficient funds',
    behaviour: { outcome: 'DECLINED', code: 'INSUFFICIENT_FUNDS' },
  },
  tok_ack_lost: {
    summary: 'captured, but every answer to the charge is cut; only a query tells',
    behaviour: { outcome: 'CAPTURED', refusalsBefore: 0, answerLost: true },
  },
  tok_never_captured: {
    summary: 'pending for ever; can be voided',
    behaviour: { outcome: 'PENDING' },
  },
  tok_gateway_down: {
    summary: 'every charge is answered 503 and records nothing',
    behaviour: { outcome: 'UNAVAILABLE' },
  },
  tok_flaky: {
    summary: 'two 503s, then captured',
    behaviour: { outcome: 'CAPTURED', refusalsBefore: 2, answerLost: false },
  },
};

/** The tokens the simulator knows; a map, so that no token finds a property of all objects. */
export const PAYMENT_METHODS: ReadonlyMap<string, PaymentMethod> = new Map(Object.entries(methods));

/**
 * A token nobody issued is a definite refusal, as a bad card number is, and not a malformed call:
 * the order side must see a decline it can tell its user about.
 */
export const UNKNOWN_METHOD: Behaviour = { outcome: 'DECLINED', code: 'INVALID_PAYMENT_METHOD' };
