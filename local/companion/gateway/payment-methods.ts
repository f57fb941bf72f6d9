import type { Money } from '../../../lib/money.ts';

/**
 * Acknowledgements that follow a charge. A charge that is still pending is captured when they are sent; an untrue one
 * only says so.
 */
export type AcknowledgedBy =
  | 'NOTHING'
  | 'ONE_SOON'
  | 'TWO_SOON'
  | 'ONE_LATE'
  | 'ONE_UNTRUE'
  | 'ONE_UNKNOWN';

/** The gateway's treatment of the first charge of a payment id. */
export type Behaviour =
  | {
      readonly outcome: 'CAPTURED';
      /** Number of calls per payment id that are answered 503 before the capture. */
      readonly refusalsBefore: number;
      /**
       * The gateway drops every answer to the charge call, so only a query or an acknowledgement tells the
       * outcome.
       */
      readonly answerLost: boolean;
      /** Captures something else than was asked for. */
      readonly captures?: (asked: Money) => Money;
      readonly acknowledgedBy: AcknowledgedBy;
    }
  | { readonly outcome: 'DECLINED'; readonly code: string }
  | { readonly outcome: 'PENDING'; readonly acknowledgedBy: AcknowledgedBy }
  /** Refuses the request itself: there is no charge, not even a declined one. */
  | { readonly outcome: 'REFUSED' }
  | { readonly outcome: 'UNAVAILABLE' };

export interface PaymentMethod {
  /** One line for the index at `/`. */
  readonly summary: string;
  readonly behaviour: Behaviour;
}

const CAPTURED = {
  outcome: 'CAPTURED',
  refusalsBefore: 0,
  answerLost: false,
  acknowledgedBy: 'NOTHING',
} as const;

const methods: Readonly<Record<string, PaymentMethod>> = {
  tok_ok: {
    summary: 'captured at once',
    behaviour: CAPTURED,
  },
  tok_async: {
    summary: 'pending, then captured and acknowledged by webhook within a second',
    behaviour: { outcome: 'PENDING', acknowledgedBy: 'ONE_SOON' },
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
    behaviour: { ...CAPTURED, answerLost: true },
  },
  tok_ack_late: {
    summary: 'captured, but every answer is cut; acknowledged after the time-out',
    behaviour: { ...CAPTURED, answerLost: true, acknowledgedBy: 'ONE_LATE' },
  },
  tok_ack_twice: {
    summary: 'pending, then captured within a second and acknowledged twice',
    behaviour: { outcome: 'PENDING', acknowledgedBy: 'TWO_SOON' },
  },
  tok_unknown_event: {
    summary:
      'pending, then captured within a second; the event about it is of a kind that nobody knows',
    behaviour: { outcome: 'PENDING', acknowledgedBy: 'ONE_UNKNOWN' },
  },
  tok_untrue_event: {
    summary: 'pending for ever, though an event says that it is captured; can be voided',
    behaviour: { outcome: 'PENDING', acknowledgedBy: 'ONE_UNTRUE' },
  },
  tok_never_captured: {
    summary: 'pending for ever; can be voided',
    behaviour: { outcome: 'PENDING', acknowledgedBy: 'NOTHING' },
  },
  tok_gateway_down: {
    summary: 'every charge is answered 503 and records nothing',
    behaviour: { outcome: 'UNAVAILABLE' },
  },
  tok_flaky: {
    summary: 'two 503s, then captured',
    behaviour: { ...CAPTURED, refusalsBefore: 2 },
  },
  tok_wrong_amount: {
    summary: 'captures one minor unit less than was asked for',
    behaviour: {
      ...CAPTURED,
      captures: ({ amount, currency }) => ({ amount: amount - 1, currency }),
    },
  },
  tok_wrong_currency: {
    summary: 'captures the amount in another currency',
    behaviour: {
      ...CAPTURED,
      captures: ({ amount, currency }) => ({
        amount,
        currency: currency === 'JPY' ? 'EUR' : 'JPY',
      }),
    },
  },
  tok_refused: {
    summary: 'every charge is refused with 422 before there is one',
    behaviour: { outcome: 'REFUSED' },
  },
};

/** Payment method tokens that the simulator knows. In a map, so that no token finds a property of all objects. */
export const PAYMENT_METHODS: ReadonlyMap<string, PaymentMethod> = new Map(Object.entries(methods));

/**
 * Treatment of a token that nobody issued. Like a bad card number it is a definite decline, not a malformed
 * request, so the Order Service can tell its user about it.
 */
export const UNKNOWN_METHOD: Behaviour = { outcome: 'DECLINED', code: 'INVALID_PAYMENT_METHOD' };
