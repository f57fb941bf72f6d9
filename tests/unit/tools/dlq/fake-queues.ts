import { readConfig } from '../../../../lib/platform/config.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';
import { REQUIRED } from '../../lib/platform/environment.ts';

interface Stored {
  readonly id: string;
  readonly body: string;
  /** Handle of the current receiver; undefined while the message is visible. */
  receiptHandle: string | undefined;
}

interface Command {
  readonly constructor: { readonly name: string };
  readonly input: {
    readonly QueueUrl: string;
    readonly MaxNumberOfMessages?: number;
    readonly VisibilityTimeout?: number;
    readonly ReceiptHandle?: string;
    readonly Entries?: readonly { readonly ReceiptHandle: string }[];
  };
}

const config = readConfig(REQUIRED);
const URLS = {
  saga: config.SAGA_DEAD_LETTER_QUEUE_URL,
  compensation: config.COMPENSATION_DEAD_LETTER_QUEUE_URL,
  acknowledgement: config.ACKNOWLEDGEMENT_DEAD_LETTER_QUEUE_URL,
} as const;

/** 2026-03-01T12:00:00Z. */
const SENT_AT_MS = 1_772_366_400_000;

/** The three dead-letter queues, in memory. */
export class FakeQueues {
  /** Called before each request with its name and queue; throws to make the request fail. */
  interfere: (request: string) => void = () => undefined;
  readonly #queues = new Map<string, Stored[]>(Object.values(URLS).map((url) => [url, []]));
  #receipts = 0;

  add(queue: keyof typeof URLS, ...bodies: readonly string[]): void {
    const stored = this.#of(URLS[queue]);
    for (const body of bodies) {
      stored.push({ id: `${queue}-${String(stored.length + 1)}`, body, receiptHandle: undefined });
    }
  }

  /** Bodies of the visible messages. */
  visible(queue: keyof typeof URLS): string[] {
    return this.#of(URLS[queue])
      .filter(({ receiptHandle }) => receiptHandle === undefined)
      .map(({ id }) => id);
  }

  get runtime(): Runtime {
    const send = (command: unknown) =>
      Promise.resolve().then(() => this.#answer(command as Command));
    return { config, aws: { clients: { queues: { send } } } } as unknown as Runtime;
  }

  #of(url: string): Stored[] {
    const stored = this.#queues.get(url);
    if (stored === undefined) throw new Error(`There is no queue ${url}.`);
    return stored;
  }

  #answer({ constructor: { name }, input }: Command): object {
    const request = name.replace(/Command$/, '');
    const queue = Object.entries(URLS).find(([, url]) => url === input.QueueUrl)?.[0] ?? '';
    this.interfere(`${request} ${queue}`);
    const stored = this.#of(input.QueueUrl);
    switch (request) {
      case 'ReceiveMessage': {
        const visible = stored.filter(({ receiptHandle }) => receiptHandle === undefined);
        const received = visible.slice(0, input.MaxNumberOfMessages);
        for (const message of received) {
          this.#receipts += 1;
          message.receiptHandle = String(this.#receipts);
        }
        return {
          Messages: received.map(({ id, body, receiptHandle }, index) => ({
            MessageId: id,
            Body: body,
            ReceiptHandle: receiptHandle,
            Attributes: { SentTimestamp: String(SENT_AT_MS + index) },
          })),
        };
      }
      case 'DeleteMessage':
        this.#queues.set(
          input.QueueUrl,
          stored.filter(({ receiptHandle }) => receiptHandle !== input.ReceiptHandle),
        );
        return {};
      case 'ChangeMessageVisibilityBatch':
        for (const { ReceiptHandle } of input.Entries ?? []) {
          const message = stored.find(({ receiptHandle }) => receiptHandle === ReceiptHandle);
          if (message !== undefined) message.receiptHandle = undefined;
        }
        return {};
      case 'GetQueueAttributes': {
        const hidden = stored.filter(({ receiptHandle }) => receiptHandle !== undefined).length;
        return { Attributes: { ApproximateNumberOfMessagesNotVisible: String(hidden) } };
      }
      default:
        throw new Error(`The fake knows no ${request}.`);
    }
  }
}
