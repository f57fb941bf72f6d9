import type * as z from 'zod';
import { type Acknowledgement, queuedAcknowledgementSchema } from '../payments/acknowledgement.ts';
import { isOpen } from '../payments/payment.ts';
import type { ChargeOutcome } from '../payments/payment-gateway.ts';
import { GatewayUnknown } from '../payments/refusals.ts';
import type { QueueMessage } from '../platform/aws/queue-messages.ts';
import { consume, type Subject } from '../platform/lambda/consume.ts';
import { observe } from '../platform/lambda/observe.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import type { Order } from './order.ts';
import { isCurrentPayment } from './order-payments.ts';
import type { OrderService } from './order-service.ts';
import { type PaymentInOrder, paymentInOrder, recordAcknowledged } from './payment-outcomes.ts';
import { tryNow } from './saga-client.ts';
import { signalWait } from './wait.ts';

type QueuedAcknowledgement = z.infer<typeof queuedAcknowledgementSchema>;

/**
 * Handles one queued acknowledgement; the queue delivers it again if that fails. After the last try it
 * becomes a dead letter. So does an acknowledgement of an unknown payment.
 * @throws any failure to handle it; report the message as failed.
 */
export function handleAcknowledgement(
  service: OrderService<'gateway' | 'saga' | 'queues'>,
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
        const { order, payment, status } = await acknowledge(service, acknowledgement);
        // From here on it belongs to the order's trace.
        const { correlationId } = order;
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
 * Asks the gateway what became of the charge, records that, then wakes the saga or requests the refund. The second half
 * looks only at what is stored, so a delivery that is repeated after a crash completes it. Any other repetition
 * changes nothing: the status of the payment absorbs it.
 * @returns also the status of the charge at the gateway.
 * @throws UnknownPayment, GatewayUnavailable, GatewayThrottled, GatewayUnknown, InfrastructureUnavailable,
 * ConcurrentUpdate
 */
export async function acknowledge(
  service: OrderService<'gateway' | 'saga' | 'queues'>,
  { orderId, paymentId }: Acknowledgement,
): Promise<PaymentInOrder & { readonly status: ChargeOutcome['status'] }> {
  const key = { orderId, paymentId };
  const known = await paymentInOrder(service, key);
  const { amount } = known.payment;
  const outcome = await service.gateway.findCharge({ paymentId, amount });
  if (outcome === undefined) {
    throw new GatewayUnknown('The gateway tells of a payment that it does not know.');
  }
  const recorded = await recordAcknowledged(service, key, outcome, known.order);
  const { order, payment } = recorded;
  if (!isOpen(payment)) await wakeSaga(service, order, paymentId);
  if (payment.status === 'CAPTURED' && payment.refundOwed !== undefined) {
    const { run, correlationId } = order;
    await service.queues.requestCompensation({ orderId, run, correlationId, paymentId });
  }
  return { ...recorded, status: outcome.status };
}

async function wakeSaga(
  service: OrderService<'saga'>,
  order: Order,
  paymentId: string,
): Promise<void> {
  if (order.status !== 'PAYMENT_IN_PROGRESS' || !isCurrentPayment(order, paymentId)) return;
  await tryNow(order, signalWait(service, order.orderId));
}
