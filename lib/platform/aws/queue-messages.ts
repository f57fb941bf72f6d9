import { InfrastructureUnavailable } from '../errors.ts';
import type { Runtime } from '../lambda/runtime.ts';

const FIRST_DELAY_SECONDS = 5;
const LONGEST_DELAY_SECONDS = 15 * 60;

/** Loaded with the first message: most functions send one only after a failure. */
const requests = () => import('./queue-requests.ts');

/** The part of an SQS record that a consumer needs. */
export interface QueueMessage {
  readonly body: string;
  readonly receiptHandle: string;
  /** Number of this delivery, from 1. */
  readonly receiveCount: number;
}

/** @throws InfrastructureUnavailable; the queue may have taken the message nevertheless. */
export async function sendMessage(
  runtime: Runtime,
  queueUrl: string,
  message: unknown,
): Promise<void> {
  try {
    const { send } = await requests();
    await send(runtime.aws, queueUrl, JSON.stringify(message));
  } catch (error) {
    throw new InfrastructureUnavailable('The queue did not take the message; send it again.', {
      cause: error,
      retryAfterSeconds: 1,
    });
  }
}

/** Makes a failed message visible again after a delay that doubles with every try. */
export async function delayNextTry(
  runtime: Runtime,
  queueUrl: string,
  message: QueueMessage,
): Promise<void> {
  const delaySeconds = Math.min(
    LONGEST_DELAY_SECONDS,
    FIRST_DELAY_SECONDS * 2 ** (message.receiveCount - 1),
  );
  const { hide } = await requests();
  await hide(runtime.aws, queueUrl, message.receiptHandle, delaySeconds);
}
