import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { tracer } from './tracing.ts';

export type { SQSRecord };

/** Makes the Lambda of one queue: each record on its own, failed ones stay in the queue. */
export function queueHandler(perform: (record: SQSRecord) => Promise<void>) {
  return middy<SQSEvent, unknown>()
    .use(captureLambdaHandler(tracer(), { captureResponse: false }))
    .handler((event: SQSEvent, context: Context) =>
      processPartialResponse(event, perform, new BatchProcessor(EventType.SQS), {
        context,
        throwOnFullBatchFailure: false,
      }),
    );
}
