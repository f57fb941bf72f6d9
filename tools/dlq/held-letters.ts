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
 * Visibility timeout of a letter that the tool reads. The tool puts the letter back as soon as it is done with
 * it. Only if the tool is killed does the letter stay hidden until the timeout.
 */
export const HIDDEN_SECONDS = 300;
const BATCH_SIZE = 10;
const QUEUES: readonly DeadLetterQueue[] = ['saga', 'compensation', 'acknowledgement'];

/** Thrown if a queue cannot be read or written. The message is for the person at the terminal. */
export class QueueProblem extends Error {
  override readonly name = 'QueueProblem';
}

/** One message of a dead-letter queue while this process holds it. */
export interface HeldLetter {
  /** SQS's message id. */
  readonly id: string;
  readonly queue: DeadLetterQueue;
  readonly letter: Letter;
  /** Message body, unchanged. */
  readonly body: string;
  /** Time at which the step gave up, or else at which the message was first sent; RFC 3339 UTC. */
  readonly since: string;
  readonly receiptHandle: string;
}

/**
 * Letters of a stage's three dead-letter queues. Reading hides a letter from other readers for a moment, so the
 * caller always calls `putBack` at the end, even after a failure.
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
   * @returns the oldest first; `hasMore` if letters beyond the limit are left unread; `hiddenCount`, the
   * approximate number of letters that another reader holds.
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
      // One letter beyond the limit proves that there are more.
      while (this.#held.size <= limit && !stopping.aborted) {
        if ((await this.#receive(queue)) === 0) break;
      }
      return hiddenCount;
    });
    // If one queue fails, another could still receive letters, and nobody would put them back.
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

  /** @throws QueueProblem if the letter is still in the queue. */
  async remove({ id, queue, receiptHandle }: HeldLetter): Promise<void> {
    await this.#ask(queue, 'sqs:DeleteMessage', () =>
      queueClient(this.#runtime.aws).send(
        new DeleteMessageCommand({ QueueUrl: this.#urls[queue], ReceiptHandle: receiptHandle }),
      ),
    );
    this.#held.delete(id);
  }

  /**
   * Makes every letter still held visible again.
   * @throws QueueProblem if that failed. Such a letter becomes visible again after `HIDDEN_SECONDS`.
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
    // A queue that fails does not keep the others from getting their letters back.
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
          // Long polling asks all of SQS's servers, so an empty answer means an empty queue.
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
