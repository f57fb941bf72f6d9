import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import type { QueueMessage } from './queue-messages.ts';
import { tracer } from './tracing.ts';

/** Makes the Lambda of one queue: each record on its own, failed ones stay in the queue. */
export function queueHandler(perform: (message: QueueMessage) => Promise<void>) {
  const performRecord = (record: SQSRecord) =>
    perform({
      body: record.body,
      receiptHandle: record.receiptHandle,
      receiveCount: Number(record.attributes.ApproximateReceiveCount),
    });
  return middy<SQSEvent, unknown>()
    .use(captureLambdaHandler(tracer(), { captureResponse: false }))
    .handler((event: SQSEvent, context: Context) =>
      processPartialResponse(event, performRecord, new BatchProcessor(EventType.SQS), {
        context,
        throwOnFullBatchFailure: false,
      }),
    );
}
