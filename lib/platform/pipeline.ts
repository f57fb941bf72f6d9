import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import { tracer } from './tracing.ts';

/**
 * What every Lambda begins with: traced, and ended by nobody but Lambda itself where it takes too
 * long. middy would be 5 ms earlier, with an error whose name no Retry of the state machine knows.
 */
export function pipeline<Event, Result>() {
  return middy<Event, Result>({ timeoutEarlyInMillis: 0 }).use(
    captureLambdaHandler(tracer(), { captureResponse: false }),
  );
}
