import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import type { QueueMessage } from '../aws/queue-messages.ts';

/** Makes the Lambda of one queue. It handles each record on its own; failed ones stay in the queue. */
export function queueHandler(perform: (message: QueueMessage) => Promise<void>) {
  const performRecord = (record: SQSRecord) =>
    perform({
      body: record.body,
      receiptHandle: record.receiptHandle,
      receiveCount: Number(record.attributes.ApproximateReceiveCount),
    });
  return (event: SQSEvent, context: Context): Promise<unknown> =>
    processPartialResponse(event, performRecord, new BatchProcessor(EventType.SQS), {
      context,
      throwOnFullBatchFailure: false,
    });
}
