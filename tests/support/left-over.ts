import { InventoryTimeout } from '../../lib/inventory/refusals.ts';
import { cancelOrder } from '../../lib/orders/cancel-order.ts';
import { failPayment, recordRefundDue } from '../../lib/orders/payment-outcomes.ts';
import { placeOrder } from '../../lib/orders/place-order.ts';
import { awaitAcknowledgement } from '../../lib/orders/saga/await-acknowledgement.ts';
import { confirmOrder } from '../../lib/orders/saga/confirm-order.ts';
import { queueCompensation } from '../../lib/orders/saga/queue-compensation.ts';
import { rejectReservation } from '../../lib/orders/saga/reject-reservation.ts';
import { reserveStock } from '../../lib/orders/saga/reserve-stock.ts';
import { takePayment } from '../../lib/orders/saga/take-payment.ts';
import type { SagaRun } from '../../lib/orders/saga-client.ts';
import { startPayment } from '../../lib/orders/start-payment.ts';
import { orderService, type WholeOrderService } from '../../lib/orders/whole-order-service.ts';
import { InfrastructureUnavailable } from '../../lib/platform/errors.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';

const nobodyThere = () => Promise.reject(new InfrastructureUnavailable('Nobody is there.'));

/** The Order Service without saga and queues: everything that it writes stays due. */
function cutOff(): WholeOrderService {
  return {
    ...orderService(currentRuntime()),
    saga: { start: nobodyThere, signal: nobodyThere },
    queues: { deadLetter: nobodyThere, requestCompensation: nobodyThere },
  };
}

export interface LeftOverOrder extends SagaRun {
  readonly userId: string;
  readonly paymentId?: string;
}

/** An attempt that is older than any of the real saga. */
const NOBODY_WAITS = { enteredAtMs: 0, retryCount: 0, token: 'nobody-waits' };

let users = 0;

/** A new order of one unit, `CREATED`, without a saga. */
async function created(productId: string): Promise<LeftOverOrder> {
  users += 1;
  const userId = `left-over-${String(users)}`;
  const { orderId, run, correlationId } = await placeOrder(cutOff(), {
    userId,
    items: [{ productId, quantity: 1 }],
    idempotencyKey: 'place',
    allowDuplicate: true,
    correlationId: `correlation-${userId}`,
  });
  return { orderId, run, correlationId, userId };
}

/** `PENDING_RESERVING_STOCK`, before any call to Inventory. */
async function reserving(productId: string) {
  const order = await created(productId);
  const service = cutOff();
  const inventory = { ...service.inventory, reserve: () => Promise.reject(noAnswer()) };
  await ignoring(reserveStock({ ...service, inventory }, { ...order, ...NOBODY_WAITS }));
  return order;
}

/** `PENDING_RESERVING_STOCK`, with held stock, but without Inventory's answer. */
async function reservedUnheard(productId: string) {
  const order = await created(productId);
  const service = cutOff();
  const inventory = {
    ...service.inventory,
    reserve: async (...of: Parameters<typeof service.inventory.reserve>) => {
      await service.inventory.reserve(...of);
      throw noAnswer();
    },
  };
  await ignoring(reserveStock({ ...service, inventory }, { ...order, ...NOBODY_WAITS }));
  return order;
}

/** `PENDING_PAYMENT`, with held stock, but without a waiting saga. */
async function waiting(productId: string) {
  const order = await created(productId);
  await reserveStock(cutOff(), { ...order, ...NOBODY_WAITS });
  return order;
}

/** `PAYMENT_IN_PROGRESS`, before any call to the gateway. */
async function paying(productId: string) {
  const order = await waiting(productId);
  const { payment } = await startPayment(cutOff(), {
    ...order,
    methodToken: 'tok_ok',
    idempotencyKey: undefined,
  });
  return { ...order, paymentId: payment.paymentId };
}

/** `PAYMENT_IN_PROGRESS`, with an unknown outcome at the gateway. */
async function awaitingAcknowledgement(productId: string) {
  const order = await paying(productId);
  await awaitAcknowledgement(cutOff(), { ...order, ...NOBODY_WAITS });
  return order;
}

/** `PAYMENT_IN_PROGRESS`, captured, but not confirmed. */
async function captured(productId: string) {
  const order = await paying(productId);
  const service = cutOff();
  const inventory = { ...service.inventory, confirm: () => Promise.reject(noAnswer()) };
  await ignoring(takePayment({ ...service, inventory }, order));
  return order;
}

/** `ORDER_CANCELLED`, with its stock still held. */
async function cancelled(productId: string) {
  const order = await waiting(productId);
  await cancelOrder(cutOff(), order.orderId, order.userId);
  return order;
}

/** `ORDER_FAILED`, with its stock still held. */
async function failed(productId: string) {
  const order = await reservedUnheard(productId);
  await ignoring(rejectReservation(cutOff(), { ...order, failure: 'InventoryTimeout' }));
  return order;
}

/** `INVALID`, before the release at Inventory. */
async function invalid(productId: string) {
  const order = await reserving(productId);
  await rejectReservation(cutOff(), { ...order, failure: 'OutOfStock' });
  return order;
}

/** `PAYMENT_FAILED`, with its stock still held and a void owed. */
async function owingVoid(productId: string) {
  const order = await paying(productId);
  await failPayment(cutOff(), order, 'PAYMENT_UNCONFIRMED');
  await ignoring(queueCompensation(cutOff(), order));
  return order;
}

/** `PAYMENT_FAILED`, with its stock still held and a refund owed. */
async function owingRefund(productId: string) {
  const order = await captured(productId);
  await recordRefundDue(cutOff(), order, 'RESERVATION_GONE');
  await ignoring(queueCompensation(cutOff(), order));
  return order;
}

/** `PAYMENT_DONE`, with nothing owed. */
async function paid(productId: string) {
  const order = await captured(productId);
  await confirmOrder(cutOff(), order);
  return order;
}

/** Makers of orders (and their payments) that are abandoned in one state each. */
export const LEFT_OVER = {
  created,
  reserving,
  reservedUnheard,
  waiting,
  paying,
  awaitingAcknowledgement,
  captured,
  cancelled,
  failed,
  invalid,
  owingVoid,
  owingRefund,
  paid,
} satisfies Readonly<Record<string, (productId: string) => Promise<LeftOverOrder>>>;

function noAnswer(): Error {
  return new InventoryTimeout('No answer.');
}

async function ignoring(work: Promise<unknown>): Promise<void> {
  await work.catch(() => undefined);
}
