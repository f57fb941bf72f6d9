import { DomainError, InfrastructureUnavailable, refusal } from '../platform/errors.ts';

/** The gateway answered that it cannot work now (5xx). The same key may be sent again. */
export class GatewayUnavailable extends refusal({
  ...InfrastructureUnavailable.refusal,
  name: 'GatewayUnavailable',
}) {}

/** The gateway gets more calls than it takes (429). It did nothing; the same key may be sent again. */
export class GatewayThrottled extends refusal({
  ...InfrastructureUnavailable.refusal,
  name: 'GatewayThrottled',
}) {}

/** The gateway did not answer: time-out, lost connection. The effect of the call is unknown. */
export class GatewayUnknown extends refusal({
  ...InfrastructureUnavailable.refusal,
  name: 'GatewayUnknown',
}) {}

/** The gateway refused the request itself. An earlier one with the same key may have been taken. */
export class ChargeRefused extends refusal({
  ...InfrastructureUnavailable.refusal,
  name: 'ChargeRefused',
}) {}

/** A webhook is not signed with a current secret, or was signed too long ago. */
export class BadSignature extends refusal({
  name: 'BadSignature',
  code: 'BAD_SIGNATURE',
  status: 401,
  title: 'A valid signature is needed',
  advice:
    'Send X-Gateway-Signature: t=<unix seconds>,v1=<hex>, where v1 is the HMAC-SHA256 of ' +
    '"<t>.<body>" with a current secret and t is at most 5 minutes off.',
  authScheme: 'Signature',
}) {}

/** The gateway acknowledges a payment that is not stored, or belongs to another order. */
export class UnknownPayment extends DomainError {
  override readonly name = 'UnknownPayment';
}
