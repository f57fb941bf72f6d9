import { createHash } from 'node:crypto';
import type {
  ChangeMessageVisibilityBatchCommandInput,
  ChangeMessageVisibilityCommandInput,
  DeleteMessageBatchCommandInput,
  DeleteMessageCommandInput,
  GetQueueAttributesCommandInput,
  GetQueueUrlCommandInput,
  Message,
  PurgeQueueCommandInput,
  ReceiveMessageCommandInput,
  SendMessageCommandInput,
} from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { Clock } from '../../lib/platform/clock.ts';
import { AwsError, onlyKnown } from '../../local/aws/aws-error.ts';
import { ACCOUNT_ID, queueUrlOf } from '../../local/stack/resources.ts';
import { MessageQueue, type Redrive, type StoredMessage } from './sqs/message-queue.ts';

export interface SentMessage {
  readonly queue: string;
  readonly body: string;
}

/** Delays until the copies of a message become visible, in milliseconds; `[0]` is normal. */
export type Delivery = (message: SentMessage) => readonly number[];

export interface MemorySqsOptions {
  readonly clock: Clock;
  readonly newId: () => string;
  /** Base of the queues' URLs. */
  readonly endpoint: string;
  /** Duplicates or delays messages. */
  readonly delivery: Delivery;
}

type Operation = (request: never) => object;

const DEFAULT_VISIBILITY_SECONDS = 30;

const redriveSchema = z.object({
  deadLetterTargetArn: z.string(),
  maxReceiveCount: z.coerce.number(),
});

/**
 * In-memory SQS with the features that this project uses, on the world's clock. A receive never waits:
 * consumers subscribe to the queue instead. Messages never expire.
 */
export class MemorySqs {
  readonly #options: MemorySqsOptions;
  readonly #queues = new Map<string, MessageQueue>();

  /** The operations by their name in X-Amz-Target. */
  readonly operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
    ['SendMessage', (request: SendMessageCommandInput) => this.#send(request)],
    ['ReceiveMessage', (request: ReceiveMessageCommandInput) => this.#receive(request)],
    ['DeleteMessage', (request: DeleteMessageCommandInput) => this.#delete(request)],
    ['DeleteMessageBatch', (request: DeleteMessageBatchCommandInput) => this.#deleteAll(request)],
    [
      'ChangeMessageVisibility',
      (request: ChangeMessageVisibilityCommandInput) => this.#changeVisibility(request),
    ],
    [
      'ChangeMessageVisibilityBatch',
      (request: ChangeMessageVisibilityBatchCommandInput) => this.#changeVisibilities(request),
    ],
    ['PurgeQueue', (request: PurgeQueueCommandInput) => this.#purge(request)],
    ['GetQueueAttributes', (request: GetQueueAttributesCommandInput) => this.#attributes(request)],
    [
      'GetQueueUrl',
      ({ QueueName: name }: GetQueueUrlCommandInput) => ({ QueueUrl: this.urlOf(name) }),
    ],
  ]);

  constructor(options: MemorySqsOptions) {
    this.#options = options;
  }

  createQueue(
    name: string,
    { region, attributes }: { region: string; attributes: Readonly<Record<string, string>> },
  ): { readonly queueArn: string } {
    const { clock, newId } = this.#options;
    const arn = `arn:aws:sqs:${region}:${ACCOUNT_ID}:${name}`;
    const { VisibilityTimeout: seconds, RedrivePolicy: policy } = attributes;
    const visibilitySeconds = Number(seconds ?? DEFAULT_VISIBILITY_SECONDS);
    const settings = { name, arn, visibilitySeconds, redrive: this.#redrive(policy) };
    this.#queues.set(name, new MessageQueue(settings, clock, newId));
    return { queueArn: arn };
  }

  /** @throws AwsError QueueDoesNotExist */
  queue(name: string | undefined): MessageQueue {
    const queue = this.#queues.get(name ?? '');
    if (queue !== undefined) return queue;
    throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
  }

  /** @throws AwsError QueueDoesNotExist */
  urlOf(name: string | undefined): string {
    return queueUrlOf(this.queue(name).settings.arn, this.#options.endpoint);
  }

  #redrive(policy: string | undefined): Redrive | undefined {
    if (policy === undefined) return undefined;
    const { deadLetterTargetArn, maxReceiveCount } = redriveSchema.parse(JSON.parse(policy));
    const to = () => this.queue(deadLetterTargetArn.split(':').at(-1));
    return { to, maxReceives: maxReceiveCount };
  }

  #send(request: SendMessageCommandInput): object {
    onlyKnown('SendMessage', request, ['QueueUrl', 'MessageBody']);
    const { clock, newId, delivery } = this.#options;
    const queue = this.#byUrl(request.QueueUrl);
    const { MessageBody: body = '' } = request;
    const message = { id: newId(), body, sentAtMs: clock.now() };
    for (const delayMs of delivery({ queue: queue.settings.name, body })) {
      queue.add(message, delayMs);
    }
    return { MessageId: message.id, MD5OfMessageBody: md5(body) };
  }

  #receive(request: ReceiveMessageCommandInput): object {
    onlyKnown('ReceiveMessage', request, [
      'QueueUrl',
      'MaxNumberOfMessages',
      'VisibilityTimeout',
      'WaitTimeSeconds',
      'MessageSystemAttributeNames',
      'MessageAttributeNames',
    ]);
    const messages = this.#byUrl(request.QueueUrl).receive(
      request.MaxNumberOfMessages ?? 1,
      request.VisibilityTimeout,
    );
    return messages.length === 0 ? {} : { Messages: messages.map(toMessage) };
  }

  #delete(request: DeleteMessageCommandInput): object {
    this.#byUrl(request.QueueUrl).delete(request.ReceiptHandle ?? '');
    return {};
  }

  #deleteAll({ QueueUrl: url, Entries: entries = [] }: DeleteMessageBatchCommandInput): object {
    for (const { ReceiptHandle: handle = '' } of entries) this.#byUrl(url).delete(handle);
    return { Successful: entries.map(({ Id }) => ({ Id })), Failed: [] };
  }

  #purge({ QueueUrl: url }: PurgeQueueCommandInput): object {
    this.#byUrl(url).purge();
    return {};
  }

  #changeVisibility(request: ChangeMessageVisibilityCommandInput): object {
    const { ReceiptHandle: handle = '', VisibilityTimeout: seconds = 0 } = request;
    if (this.#byUrl(request.QueueUrl).changeVisibility(handle, seconds)) return {};
    throw new AwsError('MessageNotInflight', 'The message is not in flight.');
  }

  #changeVisibilities(request: ChangeMessageVisibilityBatchCommandInput): object {
    const queue = this.#byUrl(request.QueueUrl);
    const results = (request.Entries ?? []).map(
      ({ Id, ReceiptHandle: handle = '', VisibilityTimeout: seconds = 0 }) =>
        queue.changeVisibility(handle, seconds)
          ? { Id }
          : { Id, SenderFault: true, Code: 'MessageNotInflight' },
    );
    return {
      Successful: results.filter((result) => !('Code' in result)),
      Failed: results.filter((result) => 'Code' in result),
    };
  }

  #attributes({ QueueUrl: url }: GetQueueAttributesCommandInput): object {
    const { settings, messages } = this.#byUrl(url);
    const nowMs = this.#options.clock.now();
    const hidden = messages.filter(({ visibleAtMs }) => visibleAtMs > nowMs);
    const inFlight = hidden.filter(({ receiveCount }) => receiveCount > 0);
    return {
      Attributes: {
        QueueArn: settings.arn,
        VisibilityTimeout: String(settings.visibilitySeconds),
        ApproximateNumberOfMessages: String(messages.length - hidden.length),
        ApproximateNumberOfMessagesNotVisible: String(inFlight.length),
        ApproximateNumberOfMessagesDelayed: String(hidden.length - inFlight.length),
      },
    };
  }

  #byUrl(url: string | undefined): MessageQueue {
    return this.queue(url?.split('/').at(-1));
  }
}

function toMessage(message: StoredMessage): Message {
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: md5(message.body),
    Attributes: {
      ApproximateReceiveCount: String(message.receiveCount),
      SentTimestamp: String(message.sentAtMs),
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedAtMs),
      SenderId: 'world',
    },
  };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
