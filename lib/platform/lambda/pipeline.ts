import middy from '@middy/core';

/**
 * Common root of every Lambda. Only Lambda itself ends a function that takes too long: middy would
 * do it 5 ms earlier, with an error whose name no Retry of the state machine knows.
 */
export function pipeline<Event, Result>() {
  return middy<Event, Result>({ timeoutEarlyInMillis: 0 });
}
