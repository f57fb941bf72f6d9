import type * as z from 'zod';
import { type Acknowledgement, queuedAcknowledgementSchema } from '../payments/acknowledgement.ts';
import { chargeOutcomeOf } from '../payments/http-gateway.ts';
import { isOpen, type Payment } from '../payments/payment.ts';
import { UnknownPayment } from '../payments/refusals.ts';
import type { QueueMessage } from '../platform/aws/queue-messages.ts';
import { consume, type Subject } from '../platform/lambda/consume.ts';
import { observe } from '../platform/lambda/observe.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import type { OrderService } from './order-service.ts';
import { recordOutcome } from './payment-outcomes.ts';
import { tryNow } from './saga-client.ts';

type QueuedAcknowledgement = z.infer<typeof queuedAcknowledgementSchema>;

/**
 * Handles one queued acknowledgement; the queue delivers it again if that fails. After the last try it
 * becomes a dead letter. So does an acknowledgement of an unknown payment.
 * @throws any failure to handle it; report the message as failed.
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
        // From here on it belongs to the order's trace.
        const { correlationId } = payment;
        const result = { receivedAs, payment: payment.status };
        observe('AcknowledgementHandled', { ...about, correlationId }, { status }, result);
      },
      subjectOf: (queued) => subjectOf(service, queued),
    },
    message,
  );
}

/** Run and trace of the order, if it can be read. */
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
    // The same failure may have kept the acknowledgement from being handled.
  }
  return { orderId, correlationId: receivedAs };
}

/**
 * Records the gateway's outcome together with the event's id, then wakes the saga or requests the refund.
 * The second half looks only at what is stored, so a delivery that is repeated after a crash completes
 * it, and any other repetition changes nothing.
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
  const payment = await recordOutcome(
    service,
    paymentId,
    chargeOutcomeOf(acknowledgement),
    eventId,
  );
  if (!isOpen(payment)) await wakeSaga(service, payment);
  if (payment.status === 'CAPTURED' && payment.refundOwed !== undefined) {
    await refundSoon(service, payment);
  }
  return payment;
}

/** Reads the order after the write: it has taken the token over from the payment. */
async function wakeSaga(
  service: OrderService<'saga'>,
  { orderId, paymentId }: Payment,
): Promise<void> {
  const order = await service.orders.getOrder(orderId);
  if (order?.status !== 'PAYMENT_IN_PROGRESS' || order.paymentId !== paymentId) return;
  if (order.waitToken === undefined) return;
  await tryNow(order, service.saga.signal(order.waitToken));
}

async function refundSoon(service: OrderService<'queues'>, payment: Payment): Promise<void> {
  const { orderId, paymentId, correlationId } = payment;
  const order = await service.orders.getOrder(orderId);
  if (order === undefined) return;
  await service.queues.requestCompensation({ orderId, run: order.run, correlationId, paymentId });
}
