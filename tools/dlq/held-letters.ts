import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import {
  type DeadLetterQueue,
  type Letter,
  readLetter,
} from '../../lib/orders/recovery/dead-letters.ts';
import { queueClient } from '../../lib/platform/aws/queue-client.ts';
import { toTimestamp } from '../../lib/platform/clock.ts';
import type { Config } from '../../lib/platform/config.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';

/**
 * How long a letter that was read stays hidden from other readers at most. It is put back as soon as
 * the tool is done with it; only a tool that is killed leaves it hidden for so long.
 */
export const HIDDEN_SECONDS = 300;
const BATCH_SIZE = 10;
const QUEUES: readonly DeadLetterQueue[] = ['saga', 'compensation', 'acknowledgement'];

/** A queue that cannot be read or written, in words for the person at the terminal. */
export class QueueProblem extends Error {
  override readonly name = 'QueueProblem';
}

/** One message of a dead-letter queue, as long as this process holds it. */
export interface HeldLetter {
  /** SQS's id of the message. */
  readonly id: string;
  readonly queue: DeadLetterQueue;
  readonly letter: Letter;
  /** The message as it is. */
  readonly body: string;
  /** When its step was given up, or else when the message was first sent; RFC 3339 UTC. */
  readonly since: string;
  readonly receiptHandle: string;
}

/**
 * The letters of a stage's three dead-letter queues. Reading hides them for a moment, so whatever is
 * held has to be put back at the end with `putBack`, whatever happened meanwhile.
 */
export class HeldLetters {
  readonly #runtime: Runtime;
  readonly #urls: Readonly<Record<DeadLetterQueue, string>>;
  readonly #held = new Map<string, HeldLetter>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#urls = urlsOf(runtime.config);
  }

  /**
   * Reads every queue until it is empty, or until `limit` letters are held.
   * @returns the oldest first; `hasMore` where letters beyond the limit are left unread, and
   * `hiddenCount` of those that somebody else is reading at this moment (approximately, as SQS counts).
   * @throws QueueProblem
   */
  async read(
    limit: number,
    stopping: AbortSignal,
  ): Promise<{
    readonly letters: readonly HeldLetter[];
    readonly hasMore: boolean;
    readonly hiddenCount: number;
  }> {
    const reading = QUEUES.map(async (queue) => {
      const hiddenCount = await this.#countHidden(queue);
      // One more than asked for tells that there are more.
      while (this.#held.size <= limit && !stopping.aborted) {
        if ((await this.#receive(queue)) === 0) break;
      }
      return hiddenCount;
    });
    // One that fails must not leave another receiving what nobody then puts back.
    await Promise.allSettled(reading);
    const hiddenCounts = await Promise.all(reading);
    const letters = [...this.#held.values()].sort((one, other) =>
      one.since.localeCompare(other.since),
    );
    return {
      letters: letters.slice(0, limit),
      hasMore: letters.length > limit,
      hiddenCount: hiddenCounts.reduce((sum, count) => sum + count, 0),
    };
  }

  /** @throws QueueProblem: the letter is still there. */
  async remove({ id, queue, receiptHandle }: HeldLetter): Promise<void> {
    await this.#ask(queue, 'sqs:DeleteMessage', () =>
      queueClient(this.#runtime.aws).send(
        new DeleteMessageCommand({ QueueUrl: this.#urls[queue], ReceiptHandle: receiptHandle }),
      ),
    );
    this.#held.delete(id);
  }

  /**
   * Makes everything that is still held visible again.
   * @throws QueueProblem: what could not be put back comes back by itself after `HIDDEN_SECONDS`.
   */
  async putBack(): Promise<void> {
    const held = [...this.#held.values()];
    this.#held.clear();
    const puttingBack = QUEUES.map(async (queue) => {
      const ofQueue = held.filter((letter) => letter.queue === queue);
      for (let start = 0; start < ofQueue.length; start += BATCH_SIZE) {
        await this.#show(queue, ofQueue.slice(start, start + BATCH_SIZE));
      }
    });
    // One queue that fails keeps no other from getting its letters back.
    await Promise.allSettled(puttingBack);
    await Promise.all(puttingBack);
  }

  async #receive(queue: DeadLetterQueue): Promise<number> {
    const { Messages: messages = [] } = await this.#ask(queue, 'sqs:ReceiveMessage', () =>
      queueClient(this.#runtime.aws).send(
        new ReceiveMessageCommand({
          QueueUrl: this.#urls[queue],
          MaxNumberOfMessages: BATCH_SIZE,
          VisibilityTimeout: HIDDEN_SECONDS,
          // Long polling asks all of SQS's servers: nothing is then nothing.
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ['SentTimestamp'],
        }),
      ),
    );
    for (const message of messages) {
      const held = toHeldLetter(queue, message);
      this.#held.set(held.id, held);
    }
    return messages.length;
  }

  async #countHidden(queue: DeadLetterQueue): Promise<number> {
    const { Attributes: attributes = {} } = await this.#ask(queue, 'sqs:GetQueueAttributes', () =>
      queueClient(this.#runtime.aws).send(
        new GetQueueAttributesCommand({
          QueueUrl: this.#urls[queue],
          AttributeNames: ['ApproximateNumberOfMessagesNotVisible'],
        }),
      ),
    );
    return Number(attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0);
  }

  async #show(queue: DeadLetterQueue, letters: readonly HeldLetter[]): Promise<void> {
    await this.#ask(queue, 'sqs:ChangeMessageVisibility', () =>
      queueClient(this.#runtime.aws).send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: this.#urls[queue],
          Entries: letters.map(({ receiptHandle }, index) => ({
            Id: String(index),
            ReceiptHandle: receiptHandle,
            VisibilityTimeout: 0,
          })),
        }),
      ),
    );
  }

  async #ask<Answer>(
    queue: DeadLetterQueue,
    permission: string,
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await ask();
    } catch (cause) {
      const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      throw new QueueProblem(
        `The ${queue} dead-letter queue (${this.#urls[queue]}) does not do what it is asked: ${why}\n` +
          `The credentials need ${permission} there.`,
        { cause },
      );
    }
  }
}

function urlsOf(config: Config): Readonly<Record<DeadLetterQueue, string>> {
  return {
    saga: config.SAGA_DEAD_LETTER_QUEUE_URL,
    compensation: config.COMPENSATION_DEAD_LETTER_QUEUE_URL,
    acknowledgement: config.ACKNOWLEDGEMENT_DEAD_LETTER_QUEUE_URL,
  };
}

function toHeldLetter(queue: DeadLetterQueue, message: Message): HeldLetter {
  const { MessageId: id = '', Body: body = '', ReceiptHandle: receiptHandle = '' } = message;
  const letter = readLetter(queue, body);
  const sentAtMs = Number(message.Attributes?.SentTimestamp ?? 0);
  return { id, queue, letter, body, since: letter.at ?? toTimestamp(sentAtMs), receiptHandle };
}
