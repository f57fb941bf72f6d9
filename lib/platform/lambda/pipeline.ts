import middy from '@middy/core';

/**
 * Common root of every Lambda. Only Lambda itself ends a function that takes too long. Middy would
 * end it 5 ms earlier, with an error name that no Retry of the state machine matches.
 */
export function pipeline<Event, Result>() {
  return middy<Event, Result>({ timeoutEarlyInMillis: 0 });
}
