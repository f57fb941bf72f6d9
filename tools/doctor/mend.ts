import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { expireReservation } from '../../lib/inventory/reservation-lifecycle.ts';
import { touchOrder } from '../../lib/orders/moves.ts';
import type { Order } from '../../lib/orders/order.ts';
import type { PaymentKey } from '../../lib/orders/order-payments.ts';
import type { OrderService } from '../../lib/orders/order-service.ts';
import {
  failPayment,
  paymentInOrder,
  recordOutcome,
  recordRefundDue,
} from '../../lib/orders/payment-outcomes.ts';
import { dispatchOrder } from '../../lib/orders/recovery/dispatch-due-work.ts';
import { orderService } from '../../lib/orders/whole-order-service.ts';
import { assertNever } from '../../lib/platform/errors.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';
import { owedBy } from './checks/due.ts';
import type { Remedy } from './remedies.ts';

/** Reason recorded on a refund of money that nobody was entitled to. */
const REFUND_REASON = 'NOT_OWED';

/** Failure code recorded on an open payment that no saga was settling. */
const FAILURE_CODE = 'PAYMENT_UNCONFIRMED';

/**
 * Mends with the services' own means: their functions, the Inventory Service's API, and writes on condition that
 * the item is still as it was judged. It never writes a counter or a status past them. So mending twice, or
 * beside a system that mends itself, is harmless.
 * @returns a function that applies one remedy, and rejects if it could not.
 */
export function mender(runtime: Runtime): (remedy: Remedy) => Promise<void> {
  const service = orderService(runtime);
  const inventory = inventoryService(runtime);

  return async (remedy) => {
    switch (remedy.kind) {
      case 'MAKE_ORDER_DUE':
      case 'CLEAR_ORDER_DUE':
        return saveDue(service, remedy.order, remedy.kind === 'MAKE_ORDER_DUE');
      case 'DISPATCH_ORDER':
        await dispatchOrder(service, remedy.orderId);
        return;
      case 'EXPIRE_HOLD':
        await expireReservation(inventory, remedy.orderId);
        return;
      case 'RECORD_CHARGE':
        return recordCharge(service, remedy.key);
      case 'VOID_AGAIN': {
        const { orderId, payment } = remedy;
        const outcome = await service.gateway.void({ ...payment, orderId });
        await recordOutcome(service, { orderId, paymentId: payment.paymentId }, outcome);
        return;
      }
      case 'REFUND_AGAIN': {
        const { payment } = await paymentInOrder(service, remedy.key);
        await service.gateway.refund(payment);
        return;
      }
      case 'OWE_REFUND':
        await recordRefundDue(service, remedy.key, REFUND_REASON);
        return;
      case 'GIVE_UP_PAYMENT':
        await failPayment(service, remedy.key, FAILURE_CODE);
        return;
      case 'RELEASE_STOCK': {
        const { orderId, revision } = remedy.reservation;
        const { correlationId } = remedy;
        await service.inventory.release({ orderId, revision, correlationId });
        return;
      }
      case 'CONFIRM_STOCK': {
        const { orderId, correlationId } = remedy.order;
        const { paymentId, revision } = remedy.payment;
        await service.inventory.confirm({ orderId, revision, correlationId }, paymentId);
        return;
      }
      default:
        return assertNever(remedy);
    }
  };
}

/** Writes the order's own time; any write of the order puts its index key right. */
async function saveDue(service: OrderService, order: Order, isDue: boolean): Promise<void> {
  const { dueAtMs: _dueAtMs, ...rest } = order as Order & { dueAtMs?: number };
  const due = isDue && owedBy(order) !== undefined ? { dueAtMs: service.clock.now() } : {};
  await service.orders.save(touchOrder<Order>({ ...rest, ...due }, {}), order);
}

/** Asks the gateway anew, and records its present answer. */
async function recordCharge(service: OrderService<'gateway'>, key: PaymentKey): Promise<void> {
  const { payment } = await paymentInOrder(service, key);
  const outcome = await service.gateway.findCharge(payment);
  if (outcome !== undefined) await recordOutcome(service, key, outcome);
}
