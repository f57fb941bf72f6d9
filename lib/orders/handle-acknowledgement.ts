import type * as z from 'zod';
import {
  type Acknowledgement,
  outcomeOf,
  queuedAcknowledgementSchema,
} from '../payments/acknowledgement.ts';
import { isOpen, type Payment } from '../payments/payment.ts';
import { UnknownPayment } from '../payments/refusals.ts';
import type { QueueMessage } from '../platform/aws/queue-messages.ts';
import { consume, type Subject } from '../platform/lambda/consume.ts';
import { observe } from '../platform/lambda/observe.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import type { OrderService } from './order-service.ts';
import { recordOutcome } from './payment-outcomes.ts';
import { signalTaskToken } from './start-and-wake.ts';

type QueuedAcknowledgement = z.infer<typeof queuedAcknowledgementSchema>;

/**
 * Handles one queued acknowledgement, or tries again later. What even the last try could not handle
 * ends as a dead letter: so does one of a payment that nobody knows.
 * @throws what kept it from being handled; the message is then to be reported as failed.
 */
export function handleAcknowledgement(
  service: OrderService<'saga' | 'queues'>,
  runtime: Runtime,
  message: QueueMessage,
): Promise<void> {
  const { ACKNOWLEDGEMENT_QUEUE_URL, ACKNOWLEDGEMENT_DEAD_LETTER_QUEUE_URL } = runtime.config;
  return consume<QueuedAcknowledgement>(
    runtime,
    {
      step: 'handle-acknowledgement',
      queueUrl: ACKNOWLEDGEMENT_QUEUE_URL,
      deadLetterQueueUrl: ACKNOWLEDGEMENT_DEAD_LETTER_QUEUE_URL,
      schema: queuedAcknowledgementSchema,
      contextOf: ({ orderId, paymentId, eventId, receivedAs }) => ({
        orderId,
        paymentId,
        eventId,
        correlationId: receivedAs,
      }),
      handle: async ({ receivedAs, ...acknowledgement }, about) => {
        const payment = await acknowledge(service, acknowledgement);
        const { status } = acknowledgement;
        // From here on it belongs to the order's own trace.
        const { correlationId } = payment;
        const result = { receivedAs, payment: payment.status };
        observe('AcknowledgementHandled', { ...about, correlationId }, { status }, result);
      },
      subjectOf: (queued) => subjectOf(service, queued),
    },
    message,
  );
}

/** The order's own run and trace, if it is here and can be read now. */
async function subjectOf(
  service: OrderService,
  { orderId, receivedAs }: QueuedAcknowledgement,
): Promise<Subject> {
  try {
    const order = await service.orders.getOrder(orderId);
    if (order !== undefined) {
      return { orderId, run: order.run, correlationId: order.correlationId };
    }
  } catch {
    // Perhaps the very reason why the acknowledgement could not be handled.
  }
  return { orderId, correlationId: receivedAs };
}

/**
 * Records what the gateway says together with the event's id, then does at once what that calls for.
 * The second half looks only at what is stored by then, so a delivery that comes again after a crash
 * between the two makes up for it, and one that comes again for no reason changes nothing.
 * @throws UnknownPayment, InfrastructureUnavailable, ConcurrentUpdate
 */
export async function acknowledge(
  service: OrderService<'saga' | 'queues'>,
  acknowledgement: Acknowledgement,
): Promise<Payment> {
  const { paymentId, orderId, eventId } = acknowledgement;
  const known = await service.payments.getPayment(paymentId);
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
async function wakeSaga(
  service: OrderService<'saga'>,
  { orderId, paymentId }: Payment,
): Promise<void> {
  const order = await service.orders.getOrder(orderId);
  if (order?.status !== 'PAYMENT_IN_PROGRESS' || order.paymentId !== paymentId) return;
  await signalTaskToken(service, order, order.waitToken);
}

async function refundSoon(service: OrderService<'queues'>, payment: Payment): Promise<void> {
  const { orderId, paymentId, correlationId } = payment;
  const order = await service.orders.getOrder(orderId);
  if (order === undefined) return;
  await service.queues.requestCompensation({ orderId, run: order.run, correlationId, paymentId });
}
