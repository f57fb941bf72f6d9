import * as z from 'zod';
import { delayNextTry, type QueueMessage, sendMessage } from '../aws/queue-messages.ts';
import { toTimestamp } from '../clock.ts';
import { InvalidMessage } from '../errors.ts';
import { parseJson } from '../parse-json.ts';
import type { LogContext } from './logging.ts';
import { observe } from './observe.ts';
import type { Runtime } from './runtime.ts';

/** Order of a message, as far as it is known. */
export interface Subject {
  readonly orderId?: string | undefined;
  readonly run?: number | undefined;
  readonly correlationId?: string | undefined;
}

/** Dead letter of a message that a consumer could not handle: the reason, and the message itself. */
export interface UndeliveredMessage extends Subject {
  /** The consumer. */
  readonly step: string;
  /** The error's name. */
  readonly error: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** The message as it was received. */
  readonly body: string;
}

/** Parser and handler of one queue's messages, and the queue of its dead letters. */
export interface Consumer<Message> {
  /** Names the consumer in its dead letters, logs and metrics. */
  readonly step: string;
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly schema: z.ZodType<Message>;
  /** Facts for every log line about the message. */
  contextOf(message: Message): LogContext;
  /**
   * Handles one message; throws if that failed.
   * @param about context of log lines about the message.
   */
  handle(message: Message, about: LogContext): Promise<void>;
  /** Called only for a message that becomes a dead letter; must not fail. */
  subjectOf(message: Message): Promise<Subject>;
}

/**
 * Handles one message. If that fails, the message becomes visible again after a growing delay. At the
 * last of `QUEUE_MAX_RECEIVES` tries it becomes a dead letter with the reason; an unreadable message
 * becomes one at once. If the letter cannot be sent, the queue itself moves the bare message to the
 * same dead-letter queue, so that nothing is lost.
 * @throws the handler's error; the caller then reports the message as failed.
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
    const invalid = new InvalidMessage('The body is not a message of this queue.', {
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

const anySubjectSchema = z.object({
  orderId: z.string().optional().catch(undefined),
  run: z.int().optional().catch(undefined),
  correlationId: z.string().optional().catch(undefined),
});

/** Reads the order of a body that is not a valid message. */
export function subjectOfAnything(body: string): Subject {
  return anySubjectSchema.safeParse(parseJson(body)).data ?? {};
}
