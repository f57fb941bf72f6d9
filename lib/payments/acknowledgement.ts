import * as z from 'zod';
import { GATEWAY_ID } from '../limits.ts';
import { sendMessage } from '../platform/aws/queue-messages.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';

const id = z.string().regex(GATEWAY_ID, 'must be 1 to 255 printable ASCII characters');

/** For the log only, so another form is passed over. */
const named = z.optional(id).catch(undefined);

/**
 * Event of the gateway: it says which charge may have changed. What became of it is asked of the gateway. All other
 * fields are ignored.
 */
export const acknowledgementSchema = z.object({
  paymentId: id,
  orderId: id,
  eventId: named,
  type: named,
});

export type Acknowledgement = z.infer<typeof acknowledgementSchema>;

/** Body of the webhook; undefined if it is anything else. */
export const webhookBodySchema = z.optional(acknowledgementSchema);

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
