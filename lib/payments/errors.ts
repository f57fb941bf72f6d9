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
