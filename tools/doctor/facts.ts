import type { Reservation } from '../../lib/inventory/reservation.ts';
import type { Order } from '../../lib/orders/order.ts';
import type { Charge } from '../../lib/payments/payment-gateway.ts';

/** An item as it is, however malformed, and its shard of the outbox's index, in which the dispatcher finds it. */
export interface Stored<Item> {
  readonly item: Item;
  readonly dueShard: string | undefined;
  /** Reason why the service cannot read the item; it refuses every call about it then. */
  readonly problem?: string;
  /** True if another version of the code has written the item: the doctor's rules may misread it. */
  readonly isOtherVersion?: true;
}

export type StoredOrder = Stored<Order>;

/** Subject of a judgement: each order and each reservation once, with everything else that is known of the order. */
export type Subject =
  | { readonly kind: 'ORDER'; readonly orderId: string }
  | { readonly kind: 'RESERVATION'; readonly orderId: string };

/** All facts of one order. It did not change while the rest was read. */
export interface Facts {
  readonly orderId: string;
  readonly order: StoredOrder | undefined;
  /** As it is, however malformed. */
  readonly reservation: Reservation | undefined;
  /** Reason why the service cannot read the reservation; it refuses every call about it then. */
  readonly reservationProblem?: string;
  /** True if another version of the service wrote the reservation. */
  readonly isReservationOtherVersion?: boolean;
  /** undefined if the gateway did not answer or was not asked. */
  readonly charges: readonly Charge[] | undefined;
}

/** The current time, and the delay after which the system counts as late. */
export interface Circumstances {
  readonly nowMs: number;
  readonly overdueAfterMs: number;
}
