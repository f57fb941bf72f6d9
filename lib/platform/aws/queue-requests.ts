import { ChangeMessageVisibilityCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { AwsAccess } from './aws-access.ts';
import { queueClient } from './queue-client.ts';

/** @throws the SDK's error. */
export async function send(access: AwsAccess, queueUrl: string, body: string): Promise<void> {
  await queueClient(access).send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
}

/**
 * Hides a received message for some seconds more.
 * @throws the SDK's error.
 */
export async function hide(
  access: AwsAccess,
  queueUrl: string,
  receiptHandle: string,
  seconds: number,
): Promise<void> {
  await queueClient(access).send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: queueUrl,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }),
  );
}
