import { DomainError } from '../platform/errors.ts';

/** The gateway answered that it cannot work now (5xx, throttled). The same key may be sent again. */
export class GatewayUnavailable extends DomainError {
  override readonly name = 'GatewayUnavailable';
  readonly code = 'TEMPORARILY_UNAVAILABLE';
}

/** No answer: time-out, lost connection. Whether the money moved is unknown. */
export class GatewayUnknown extends DomainError {
  override readonly name = 'GatewayUnknown';
  readonly code = 'TEMPORARILY_UNAVAILABLE';
}

/** The gateway took the charge but not decided it; its acknowledgement follows. */
export class PaymentPending extends DomainError {
  override readonly name = 'PaymentPending';
  readonly code = 'PAYMENT_UNSETTLED';
}

/** A webhook that nobody with a current secret has signed just now. */
export class BadSignature extends DomainError {
  override readonly name = 'BadSignature';
  readonly code = 'BAD_SIGNATURE';
}

/** The gateway acknowledges a payment that is not here, or not of that order. */
export class UnknownPayment extends DomainError {
  override readonly name = 'UnknownPayment';
  readonly code = 'UNKNOWN_PAYMENT';
}

/** The payment that was to be given up is captured after all: confirm. */
export class PaymentCaptured extends DomainError {
  override readonly name = 'PaymentCaptured';
  readonly code = 'PAYMENT_CAPTURED';
}

/** The payment ended without money: declined, voided, or never sent. Compensate. */
export class PaymentNotCaptured extends DomainError {
  override readonly name = 'PaymentNotCaptured';
  readonly code = 'PAYMENT_FAILED';
}
