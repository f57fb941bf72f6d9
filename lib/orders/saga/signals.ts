import { DomainError } from '../../platform/errors.ts';

/*
 * The saga's branches. A step throws one of these where the order's stored status, and not the
 * signal that woke the step, says that something else is to be done than the next state.
 */
/** A newer run of this order's saga took over; this execution has nothing more to do. */
export class RunSuperseded extends DomainError {
  override readonly name = 'RunSuperseded';
  readonly code = 'RUN_SUPERSEDED';
}

/** The order rests (failed, cancelled, invalid); only what it still owes is to be given back. */
export class OrderSettled extends DomainError {
  override readonly name = 'OrderSettled';
  readonly code = 'ORDER_SETTLED';
}

/** The order has a newer reservation intent; reserve again. */
export class OrderModified extends DomainError {
  override readonly name = 'OrderModified';
  readonly code = 'ORDER_MODIFIED';
}

/** The user wants other items while the payment is under way: void it if that still can be. */
export class ModificationRequested extends DomainError {
  override readonly name = 'ModificationRequested';
  readonly code = 'MODIFICATION_REQUESTED';
}

/** A refused or lost modification: what Inventory holds now stands, and is to be paid. */
export class ReservationStands extends DomainError {
  override readonly name = 'ReservationStands';
  readonly code = 'RESERVATION_STANDS';
}

/** The user has started to pay; charge. */
export class PaymentStarted extends DomainError {
  override readonly name = 'PaymentStarted';
  readonly code = 'PAYMENT_STARTED';
}

/** Woken too early: the user has not decided yet. */
export class StillAwaitingPayment extends DomainError {
  override readonly name = 'StillAwaitingPayment';
  readonly code = 'STILL_AWAITING_PAYMENT';
}

/** Woken too early: the gateway still has time to acknowledge. */
export class StillAwaitingAcknowledgement extends DomainError {
  override readonly name = 'StillAwaitingAcknowledgement';
  readonly code = 'STILL_AWAITING_ACKNOWLEDGEMENT';
}

/** Inventory asked for a pause that fits into the outage budget; wait and come back. */
export class InventoryPaused extends DomainError {
  override readonly name = 'InventoryPaused';
  readonly code = 'INVENTORY_PAUSED';
}

/** Inventory stayed away for longer than the outage budget. */
export class InventoryOutageBudgetSpent extends DomainError {
  override readonly name = 'InventoryOutageBudgetSpent';
  readonly code = 'INVENTORY_UNAVAILABLE';
}

/** The gateway took the charge but not decided it; its acknowledgement follows. */
export class PaymentPending extends DomainError {
  override readonly name = 'PaymentPending';
  readonly code = 'PAYMENT_UNSETTLED';
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
