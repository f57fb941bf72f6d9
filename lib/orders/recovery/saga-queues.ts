import * as z from 'zod';
import { sendMessage } from '../../platform/aws/queue-messages.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { observe } from '../../platform/lambda/observe.ts';
import type { Runtime } from '../../platform/lambda/runtime.ts';

/** What could not be done: enough to find it, to understand it and to do it again. */
export interface DeadLetter {
  readonly orderId: string;
  /** 0 where it could not be found out. */
  readonly run: number;
  readonly correlationId: string;
  readonly step: string;
  readonly error: string;
  /** Where it is one of the order's payments that owes something. */
  readonly paymentId?: string;
}

/** As the compensation queue carries it. */
export const compensationRequestSchema = z.object({
  orderId: z.string(),
  run: z.int(),
  correlationId: z.string(),
  /** Where a payment that is no longer the order's current one owes something. */
  paymentId: z.string().optional(),
});

/** "Look at this order and finish what it, or one of its payments, still owes." */
export type CompensationRequest = z.infer<typeof compensationRequestSchema>;

export interface SagaQueues {
  /** @throws InfrastructureUnavailable */
  deadLetter(letter: DeadLetter): Promise<void>;
  /** @throws InfrastructureUnavailable */
  requestCompensation(request: CompensationRequest): Promise<void>;
}

export function sagaQueues(runtime: Runtime): SagaQueues {
  const { COMPENSATION_QUEUE_URL, SAGA_DEAD_LETTER_QUEUE_URL } = runtime.config;

  return {
    async deadLetter(letter) {
      const at = toTimestamp(runtime.clock.now());
      await sendMessage(runtime, SAGA_DEAD_LETTER_QUEUE_URL, { ...letter, at });
      const { orderId, correlationId, step, run, error } = letter;
      observe('DeadLetterSent', { orderId, correlationId }, { step }, { run, error });
    },
    async requestCompensation(request) {
      await sendMessage(runtime, COMPENSATION_QUEUE_URL, request);
      const { run, ...about } = request;
      observe('CompensationRequested', about, {}, { run });
    },
  };
}
