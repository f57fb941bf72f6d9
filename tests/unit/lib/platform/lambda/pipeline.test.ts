import type { Context } from 'aws-lambda';
import { expect, test } from 'vitest';
import { pipeline } from '../../../../../lib/platform/lambda/pipeline.ts';

test('a function that takes all its time is left for Lambda to end', async () => {
  const context = { getRemainingTimeInMillis: () => 0 } as Context;
  const handler = pipeline<unknown, string>().handler(async () => {
    // A timer for the remaining time would fire before the second of these.
    await aTimer();
    await aTimer();
    return 'done';
  });
  await expect(handler({}, context)).resolves.toBe('done');
});

function aTimer(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
