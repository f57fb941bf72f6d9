import type { Reservation } from '../../lib/inventory/reservation.ts';
import type { Order } from '../../lib/orders/order.ts';
import type { Payment } from '../../lib/payments/payment.ts';
import type { Charge } from '../../lib/payments/payment-gateway.ts';

/** An item together with the shard of the outbox's index in which the dispatcher finds it. */
export interface Stored<Item> {
  readonly item: Item;
  readonly dueShard: string | undefined;
}

export type StoredOrder = Stored<Order>;
export type StoredPayment = Stored<Payment>;

/** What is judged: each item of the two tables once, beside whatever else is known of its order. */
export type Subject =
  | { readonly kind: 'ORDER'; readonly orderId: string }
  | { readonly kind: 'PAYMENT'; readonly orderId: string; readonly paymentId: string }
  | { readonly kind: 'RESERVATION'; readonly orderId: string };

/** All that is known of one order. Orders and payments did not change while the rest was read. */
export interface Facts {
  readonly orderId: string;
  readonly order: StoredOrder | undefined;
  /** Those that the order, the gateway or the subject names. */
  readonly payments: ReadonlyMap<string, StoredPayment>;
  readonly reservation: Reservation | undefined;
  /** undefined where the gateway could not be asked, or nobody wanted to know. */
  readonly charges: readonly Charge[] | undefined;
}

/** What time it is, and how late the system may be before somebody should know. */
export interface Circumstances {
  readonly nowMs: number;
  readonly overdueAfterMs: number;
}
