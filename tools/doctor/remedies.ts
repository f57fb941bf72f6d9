import type { Reservation } from '../../lib/inventory/reservation.ts';
import type { Order } from '../../lib/orders/order.ts';
import type { PaymentKey } from '../../lib/orders/order-payments.ts';
import type { Payment } from '../../lib/payments/payment.ts';

/**
 * A safe remedy for a disagreement. It holds the items as they were judged, and writes only if they are still the
 * same.
 */
export type Remedy =
  | { readonly kind: 'MAKE_ORDER_DUE' | 'CLEAR_ORDER_DUE'; readonly order: Order }
  | { readonly kind: 'DISPATCH_ORDER' | 'EXPIRE_HOLD'; readonly orderId: string }
  | {
      readonly kind: 'RECORD_CHARGE' | 'REFUND_AGAIN' | 'OWE_REFUND' | 'GIVE_UP_PAYMENT';
      readonly key: PaymentKey;
    }
  | { readonly kind: 'VOID_AGAIN'; readonly orderId: string; readonly payment: Payment }
  | {
      readonly kind: 'RELEASE_STOCK';
      readonly reservation: Reservation;
      readonly correlationId: string;
    }
  | {
      readonly kind: 'CONFIRM_STOCK';
      readonly order: Order;
      readonly payment: Payment;
    };
