import * as z from 'zod';
import { queuedAcknowledgementSchema } from '../../payments/acknowledgement.ts';
import { type Subject, subjectOfAnything } from '../../platform/lambda/consume.ts';
import { parseJson } from '../../platform/parse-json.ts';
import { compensationRequestSchema } from './saga-queues.ts';

/** Dead-letter queue of exhausted steps, of compensations, or of acknowledgements. */
export type DeadLetterQueue = 'saga' | 'compensation' | 'acknowledgement';

/** Facts of every letter, as far as they were known; a message that SQS itself moved has none. */
export interface LetterFacts extends Subject {
  readonly step?: string | undefined;
  readonly error?: string | undefined;
  /** RFC 3339 UTC. */
  readonly at?: string | undefined;
}

interface SagaLetter extends LetterFacts {
  readonly kind: 'SAGA';
  readonly orderId: string;
  /** Of the execution that gave up; 0 if unknown. */
  readonly run: number;
  /** The payment that owes something, if it is one of the order's. */
  readonly paymentId?: string | undefined;
}

interface CompensationLetter extends LetterFacts {
  readonly kind: 'COMPENSATION';
  readonly orderId: string;
  readonly paymentId?: string | undefined;
}

interface AcknowledgementLetter extends LetterFacts {
  readonly kind: 'ACKNOWLEDGEMENT';
  readonly acknowledgement: z.infer<typeof queuedAcknowledgementSchema>;
}

/** A message that no part of this version sends. */
interface UnreadableLetter extends LetterFacts {
  readonly kind: 'UNREADABLE';
}

export type Letter = SagaLetter | CompensationLetter | AcknowledgementLetter | UnreadableLetter;

const sagaLetterSchema = z.object({
  orderId: z.string(),
  run: z.int(),
  correlationId: z.string(),
  step: z.string(),
  error: z.string(),
  at: z.string(),
  paymentId: z.string().optional(),
});

/** As `consume` leaves it. */
const undeliveredSchema = z.object({
  orderId: z.string().optional(),
  run: z.int().optional(),
  correlationId: z.string().optional(),
  step: z.string(),
  error: z.string(),
  at: z.string(),
  body: z.string(),
});

/** Reads any message of a dead-letter queue: a letter, a bare message, or something else. */
export function readLetter(queue: DeadLetterQueue, text: string): Letter {
  if (queue === 'saga') {
    const letter = sagaLetterSchema.safeParse(parseJson(text)).data;
    return letter === undefined
      ? { ...subjectOfAnything(text), kind: 'UNREADABLE' }
      : { ...letter, kind: 'SAGA' };
  }
  const undelivered = undeliveredSchema.safeParse(parseJson(text)).data;
  const { body, ...facts } = undelivered ?? { ...subjectOfAnything(text), body: text };
  return queue === 'compensation' ? compensation(facts, body) : acknowledgement(facts, body);
}

function compensation(facts: LetterFacts, body: string): Letter {
  const request = compensationRequestSchema.safeParse(parseJson(body)).data;
  return request === undefined
    ? { ...facts, kind: 'UNREADABLE' }
    : { ...facts, kind: 'COMPENSATION', orderId: request.orderId, paymentId: request.paymentId };
}

function acknowledgement(facts: LetterFacts, body: string): Letter {
  const queued = queuedAcknowledgementSchema.safeParse(parseJson(body)).data;
  if (queued === undefined) return { ...facts, kind: 'UNREADABLE' };
  const correlationId = facts.correlationId ?? queued.receivedAs;
  return { ...facts, correlationId, kind: 'ACKNOWLEDGEMENT', acknowledgement: queued };
}
