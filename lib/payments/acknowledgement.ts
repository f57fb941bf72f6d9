import * as z from 'zod';
import { GATEWAY_CODE, GATEWAY_ID } from '../limits.ts';
import { sendMessage } from '../platform/aws/queue-messages.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { chargeStatusSchema } from './http-gateway.ts';

const id = z.string().regex(GATEWAY_ID, 'must be 1 to 255 printable ASCII characters');

/** Event of the gateway about a changed charge. Unknown fields are ignored, so the gateway may add some. */
export const acknowledgementSchema = z.object({
  /** Equal in every delivery of one event. */
  eventId: id,
  type: z.literal('charge.updated'),
  paymentId: id,
  orderId: id,
  status: chargeStatusSchema,
  code: z.string().regex(GATEWAY_CODE, 'must be an upper-case code').optional(),
  occurredAt: z.iso.datetime(),
});

export type Acknowledgement = z.infer<typeof acknowledgementSchema>;

/** Acknowledgement in the queue, with the correlation id of the request that brought it. */
export const queuedAcknowledgementSchema = acknowledgementSchema.extend({
  receivedAs: z.string(),
});

/** Queue of acknowledgements that are not handled yet. */
export interface AcknowledgementQueue {
  /** @throws InfrastructureUnavailable if it is not stored; the gateway then sends it again. */
  add(acknowledgement: z.infer<typeof queuedAcknowledgementSchema>): Promise<void>;
}

export function acknowledgementQueue(runtime: Runtime): AcknowledgementQueue {
  const queueUrl = runtime.config.ACKNOWLEDGEMENT_QUEUE_URL;
  return { add: (acknowledgement) => sendMessage(runtime, queueUrl, acknowledgement) };
}
