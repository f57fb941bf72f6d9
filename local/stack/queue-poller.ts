import {
  DeleteMessageBatchCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSMessageAttributes, SQSRecord } from 'aws-lambda';

export interface QueuePollerOptions {
  readonly client: SQSClient;
  readonly region: string;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly batchSize: number;
  /** True if the function answers with the failed messages, and all others are done. */
  readonly reportsFailures: boolean;
  readonly invoke: (event: SQSEvent) => Promise<unknown>;
  /** Called if the queue itself cannot be read. The runtime reports failed invocations. */
  readonly onError: (error: unknown) => void;
}

/**
 * Delivers a queue's messages to a function, as Lambda's event source mapping does. It deletes the messages that
 * succeeded. The others stay, and become visible again after the visibility timeout.
 */
export class QueuePoller {
  readonly #options: QueuePollerOptions;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: QueuePollerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#pollUntilStopped();
  }

  /** Ends the current wait. A running batch is finished first. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /**
   * Receives at most one batch and waits until the function has handled it.
   * @returns the number of messages in it.
   */
  async pollOnce(waitSeconds = 0): Promise<number> {
    const { client, queueUrl, batchSize } = this.#options;
    const { Messages: messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: batchSize,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: this.#stopping.signal },
    );
    if (messages.length > 0) await this.#handle(messages);
    return messages.length;
  }

  async #pollUntilStopped(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.pollOnce(1);
      } catch (error) {
        const isStopping = (error as Error).name === 'AbortError';
        if (!isStopping) this.#options.onError(error);
      }
    }
  }

  async #handle(messages: readonly Message[]): Promise<void> {
    const failed = await this.#invoke(messages);
    const done = messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
    if (done.length === 0) return;
    await this.#options.client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: this.#options.queueUrl,
        Entries: done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
      }),
    );
  }

  /** @returns ids of the messages that failed. */
  async #invoke(messages: readonly Message[]): Promise<ReadonlySet<string>> {
    const all = new Set(messages.map(({ MessageId }) => MessageId ?? ''));
    let answer: unknown;
    try {
      answer = await this.#options.invoke({
        Records: messages.map((message) => this.#toRecord(message)),
      });
    } catch {
      return all;
    }
    if (!this.#options.reportsFailures) return new Set();
    const { batchItemFailures = [] } = (answer ?? {}) as Partial<SQSBatchResponse>;
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    // As in Lambda, an answer that names an unknown message fails the whole batch.
    return [...failed].every((id) => all.has(id)) ? failed : all;
  }

  #toRecord(message: Message): SQSRecord {
    const { Attributes: attributes = {} } = message;
    return {
      messageId: message.MessageId ?? '',
      receiptHandle: message.ReceiptHandle ?? '',
      body: message.Body ?? '',
      attributes: {
        ...attributes,
        ApproximateReceiveCount: attributes.ApproximateReceiveCount ?? '1',
        SentTimestamp: attributes.SentTimestamp ?? '',
        SenderId: attributes.SenderId ?? '',
        ApproximateFirstReceiveTimestamp: attributes.ApproximateFirstReceiveTimestamp ?? '',
      },
      messageAttributes: toRecordAttributes(message.MessageAttributes ?? {}),
      md5OfBody: message.MD5OfBody ?? '',
      eventSource: 'aws:sqs',
      eventSourceARN: this.#options.queueArn,
      awsRegion: this.#options.region,
    };
  }
}

function toRecordAttributes(
  attributes: Readonly<Record<string, MessageAttributeValue>>,
): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        dataType: DataType ?? 'String',
        stringListValues: [],
        binaryListValues: [],
        ...(StringValue === undefined ? {} : { stringValue: StringValue }),
        ...(BinaryValue === undefined
          ? {}
          : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
      },
    ]),
  );
}
