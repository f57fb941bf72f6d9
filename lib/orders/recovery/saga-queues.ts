import * as z from 'zod';
import { sendMessage } from '../../platform/aws/queue-messages.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { observe } from '../../platform/lambda/observe.ts';
import type { Runtime } from '../../platform/lambda/runtime.ts';

/** Work that could not be done: enough to find it, to understand it and to repeat it. */
export interface DeadLetter {
  readonly orderId: string;
  /** 0 if unknown. */
  readonly run: number;
  readonly correlationId: string;
  readonly step: string;
  readonly error: string;
  /** The payment that owes something, if it is one of the order's. */
  readonly paymentId?: string;
}

/** As the compensation queue carries it. */
export const compensationRequestSchema = z.object({
  orderId: z.string(),
  run: z.int(),
  correlationId: z.string(),
  /** The payment that owes something, if it is not the latest one. */
  paymentId: z.string().optional(),
});

/** Asks the consumer to read this order, and to finish what it or one of its payments owes. */
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
