import {
  type Acknowledgement,
  outcomeOf,
  queuedAcknowledgementSchema,
} from '../payments/acknowledgement.ts';
import { UnknownPayment } from '../payments/errors.ts';
import { isOpen, type Payment } from '../payments/payment.ts';
import { observe } from '../platform/observe.ts';
import { delayNextTry, observeFailure, type QueueMessage } from '../platform/queue-messages.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { OrderService } from './order-service.ts';
import { recordOutcome } from './saga/settle.ts';
import { wake } from './wake.ts';

/**
 * Handles one queued acknowledgement. Where it cannot yet, the message becomes visible again after a
 * growing delay, until the queue hands it to its dead-letter queue: so ends one of a payment that
 * nobody knows.
 * @throws what kept it from being handled; the message is then to be reported as failed.
 */
export async function handleAcknowledgement(
  service: OrderService,
  runtime: Runtime,
  message: QueueMessage,
): Promise<void> {
  const queued = queuedAcknowledgementSchema.parse(JSON.parse(message.body));
  const { receivedAs, ...acknowledgement } = queued;
  const { orderId, paymentId, eventId, status } = acknowledgement;
  const about = {
    operation: 'handle-acknowledgement',
    orderId,
    paymentId,
    eventId,
    correlationId: receivedAs,
  };
  try {
    const payment = await acknowledge(service, acknowledgement);
    // From here on it belongs to the order's own trace.
    const { correlationId } = payment;
    const result = { receivedAs, payment: payment.status };
    observe('AcknowledgementHandled', { ...about, correlationId }, { status }, result);
  } catch (error) {
    observeFailure(about, message, error);
    await delayNextTry(runtime, runtime.config.ACKNOWLEDGEMENT_QUEUE_URL, message);
    throw error;
  }
}

/**
 * Records what the gateway says together with the event's id, then does at once what that calls for.
 * The second half looks only at what is stored by then, so a delivery that comes again after a crash
 * between the two makes up for it, and one that comes again for no reason changes nothing.
 * @throws UnknownPayment, InfrastructureUnavailable, ConcurrentUpdate
 */
export async function acknowledge(
  service: OrderService,
  acknowledgement: Acknowledgement,
): Promise<Payment> {
  const { paymentId, orderId, eventId } = acknowledgement;
  const known = await service.payments.find(paymentId);
  if (known?.orderId !== orderId) {
    throw new UnknownPayment('No such payment of this order is stored.');
  }
  const payment = await recordOutcome(service, paymentId, outcomeOf(acknowledgement), eventId);
  if (!isOpen(payment)) await wakeSaga(service, payment);
  if (payment.status === 'CAPTURED' && payment.refundOwed !== undefined) {
    await refundSoon(service, payment);
  }
  return payment;
}

/** Written first, then read: the order has taken the token over from the payment. */
async function wakeSaga(service: OrderService, { orderId, paymentId }: Payment): Promise<void> {
  const order = await service.orders.find(orderId);
  if (order?.status !== 'PAYMENT_IN_PROGRESS' || order.paymentId !== paymentId) return;
  await wake(service, order, order.waitToken);
}

async function refundSoon(service: OrderService, payment: Payment): Promise<void> {
  const { orderId, paymentId, correlationId } = payment;
  const order = await service.orders.find(orderId);
  if (order === undefined) return;
  await service.queues.requestCompensation({ orderId, run: order.run, correlationId, paymentId });
}
