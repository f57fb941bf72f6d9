import * as z from 'zod';
import { delayNextTry, type QueueMessage, sendMessage } from '../aws/queue-messages.ts';
import { toTimestamp } from '../clock.ts';
import { InvalidMessage } from '../errors.ts';
import type { LogContext } from './logging.ts';
import { observe } from './observe.ts';
import type { Runtime } from './runtime.ts';

/** The order that a message is about, as far as it is known. */
export interface Subject {
  readonly orderId?: string | undefined;
  readonly run?: number | undefined;
  readonly correlationId?: string | undefined;
}

/** What a consumer leaves of a message that it could not handle: why, and the message itself. */
export interface UndeliveredMessage extends Subject {
  /** The consumer. */
  readonly step: string;
  /** The error's name. */
  readonly error: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** As it was received, to the letter. */
  readonly body: string;
}

/** How one queue's messages are read and handled, and where those end that cannot be. */
export interface Consumer<Message> {
  /** Names the consumer in its dead letters, logs and metrics. */
  readonly step: string;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly schema: z.ZodType<Message>;
  /** Facts for every log line about the message. */
  contextOf(message: Message): LogContext;
  /**
   * @param about the message's facts, for what is to be told of it.
   * @throws what kept it from being handled.
   */
  handle(message: Message, about: LogContext): Promise<void>;
  /** Asked only for a message that ends as a dead letter; must not fail. */
  subjectOf(message: Message): Promise<Subject>;
}

/**
 * Handles one message. Where that fails it becomes visible again after a growing delay; at the last
 * of `QUEUE_MAX_RECEIVES` tries it ends as a dead letter that says why, and is done with. What is no
 * message at all ends there at once. If the letter cannot be sent, or this process dies before it
 * is, the queue itself moves the bare message to the same place: nothing is lost either way.
 * @throws what kept it from being handled; the message is then to be reported as failed.
 */
export async function consume<Message>(
  runtime: Runtime,
  consumer: Consumer<Message>,
  received: QueueMessage,
): Promise<void> {
  const { step, queueUrl } = consumer;
  const { body, receiveCount } = received;
  const read = consumer.schema.safeParse(parseJson(body));
  if (!read.success) {
    const subject = subjectOfAnything(body);
    const invalid = new InvalidMessage('The body is not what this queue carries.', {
      cause: read.error,
    });
    return giveUp(runtime, consumer, received, subject, invalid);
  }
  const about = { operation: step, ...consumer.contextOf(read.data) };
  try {
    await consumer.handle(read.data, about);
  } catch (error) {
    observe('MessageFailed', about, { operation: step }, { receiveCount, error });
    if (receiveCount >= runtime.config.QUEUE_MAX_RECEIVES) {
      const subject = await consumer.subjectOf(read.data);
      return giveUp(runtime, consumer, received, subject, error);
    }
    await delayNextTry(runtime, queueUrl, received);
    throw error;
  }
}

async function giveUp<Message>(
  runtime: Runtime,
  { step, deadLetterQueueUrl }: Consumer<Message>,
  { body, receiveCount }: QueueMessage,
  subject: Subject,
  error: unknown,
): Promise<void> {
  const failure = error instanceof Error ? error.name : typeof error;
  const letter: UndeliveredMessage = {
    ...subject,
    step,
    error: failure,
    at: toTimestamp(runtime.clock.now()),
    body,
  };
  await sendMessage(runtime, deadLetterQueueUrl, letter);
  const { run, ...about } = subject;
  observe('DeadLetterSent', about, { step }, { run, error: failure, receiveCount });
}

/** @returns undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const anySubjectSchema = z.object({
  orderId: z.string().optional().catch(undefined),
  run: z.int().optional().catch(undefined),
  correlationId: z.string().optional().catch(undefined),
});

/** What a body that nobody understands still says of its order. */
export function subjectOfAnything(body: string): Subject {
  return anySubjectSchema.safeParse(parseJson(body)).data ?? {};
}
