import { DomainError } from '../platform/errors.ts';

export class DuplicateOrder extends DomainError {
  override readonly name = 'DuplicateOrder';
  readonly code = 'DUPLICATE_ORDER';
}

/** An earlier payment of the order is not settled yet; a new one could overlap with it. */
export class PaymentUnsettled extends DomainError {
  override readonly name = 'PaymentUnsettled';
  readonly code = 'PAYMENT_UNSETTLED';
}

/** `If-Match` names another version of the order. */
export class PreconditionFailed extends DomainError {
  override readonly name = 'PreconditionFailed';
  readonly code = 'PRECONDITION_FAILED';
}

/** A quantity of a modification is out of range; the order stays as it is. */
export class BadQuantity extends DomainError {
  override readonly name = 'BadQuantity';
  readonly code = 'BAD_QUANTITY';
}

/** The order waits for the outcome of an earlier modification. */
export class ModificationPending extends DomainError {
  override readonly name = 'ModificationPending';
  readonly code = 'MODIFICATION_PENDING';
}

/** Paying came too late: the promise to hold the stock has run out. */
export class ReservationExpired extends DomainError {
  override readonly name = 'ReservationExpired';
  readonly code = 'RESERVATION_EXPIRED';
}
