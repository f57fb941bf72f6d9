import { InventoryUnavailable } from '../../inventory/refusals.ts';
import { refusal } from '../../platform/errors.ts';

/**
 * Branch of the saga. A step throws one if the order's stored status demands another state than the
 * next one. Step Functions matches its literal `name`; no caller of the API meets it.
 */
export abstract class Signal extends Error {
  abstract override readonly name: string;
}

/** A newer run of this order's saga took over; this execution has nothing more to do. */
export class RunSuperseded extends Signal {
  override readonly name = 'RunSuperseded';
}

/** A newer attempt of this run waits already: this one is a late duplicate, whose end its execution ignores. */
export class WaitSuperseded extends Signal {
  override readonly name = 'WaitSuperseded';
}

/** The order rests (failed, cancelled, invalid); only its owed compensation is left to do. */
export class OrderSettled extends Signal {
  override readonly name = 'OrderSettled';
}

/** The order has a newer reservation intent; reserve again. */
export class OrderModified extends Signal {
  override readonly name = 'OrderModified';
}

/** The user wants other items while the payment is under way: void the payment if that is still possible. */
export class ModificationRequested extends Signal {
  override readonly name = 'ModificationRequested';
}

/** A modification was refused or lost: the stock that Inventory holds now stands, and is to be paid. */
export class ReservationStands extends Signal {
  override readonly name = 'ReservationStands';
}

/** The user has started to pay; charge. */
export class PaymentStarted extends Signal {
  override readonly name = 'PaymentStarted';
}

/** Woken too early: the user has not decided yet. */
export class StillAwaitingPayment extends Signal {
  override readonly name = 'StillAwaitingPayment';
}

/** Woken too early: the gateway still has time to acknowledge. */
export class StillAwaitingAcknowledgement extends Signal {
  override readonly name = 'StillAwaitingAcknowledgement';
}

/** Inventory failed in passing, or asked for a pause, inside the outage budget; wait and come back. */
export class InventoryPaused extends Signal {
  override readonly name = 'InventoryPaused';
}

/** Inventory failed for longer than the outage budget. A failure of the step, not a branch. */
export class InventoryOutageBudgetSpent extends refusal({
  ...InventoryUnavailable.refusal,
  name: 'InventoryOutageBudgetSpent',
}) {}

/** An earlier run gave a modification up and kept the old items at its revision; reject it. A failure, not a branch. */
export class ModificationGivenUp extends refusal({
  ...InventoryUnavailable.refusal,
  name: 'ModificationGivenUp',
}) {}

/** Confirming failed after the capture was written down. A failure of the step: it goes on in ConfirmOrder. */
export class ConfirmationUnfinished extends refusal({
  ...InventoryUnavailable.refusal,
  name: 'ConfirmationUnfinished',
}) {}

/** The gateway accepted the charge but has not decided it; its acknowledgement follows. */
export class PaymentPending extends Signal {
  override readonly name = 'PaymentPending';
}

/** The gateway captured the payment that this step was to give up: confirm it. */
export class PaymentCaptured extends Signal {
  override readonly name = 'PaymentCaptured';
}

/** The payment ended without money: declined, voided, or never sent. Compensate. */
export class PaymentNotCaptured extends Signal {
  override readonly name = 'PaymentNotCaptured';
}
