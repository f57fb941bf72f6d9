import { expect, test } from 'vitest';
import {
  CONFLICT,
  type RetryPolicy,
  retryOptimistically,
} from '../../../../../lib/platform/dynamo/items.ts';

/** A clock that notes every pause and does not wait. */
function pausingClock() {
  const pausesMs: number[] = [];
  const clock = {
    now: () => 0,
    schedule: (delayMs: number, callback: () => void) => {
      pausesMs.push(delayMs);
      callback();
      return () => undefined;
    },
  };
  return { clock, pausesMs };
}

async function run(policy: RetryPolicy, results: readonly (string | typeof CONFLICT)[]) {
  const { clock, pausesMs } = pausingClock();
  let tries = 0;
  const result = await retryOptimistically({ clock, random: () => 0.5 }, policy, () => {
    tries += 1;
    return Promise.resolve(results[tries - 1] ?? CONFLICT);
  });
  return { result, tries, pausesMs };
}

const POLICY: RetryPolicy = { attempts: 5, pause: { baseMs: 20, capMs: 100 } };

test('an attempt without a conflict is not repeated', async () => {
  expect(await run(POLICY, ['done'])).toEqual({ result: 'done', tries: 1, pausesMs: [] });
});

test('a conflict is followed by a pause with jitter, and by another attempt', async () => {
  expect(await run(POLICY, [CONFLICT, CONFLICT, 'done'])).toEqual({
    result: 'done',
    tries: 3,
    pausesMs: [10, 20],
  });
});

test('the ceiling of the pauses doubles up to the cap; the last conflict is returned at once', async () => {
  expect(await run(POLICY, [])).toEqual({
    result: CONFLICT,
    tries: 5,
    pausesMs: [10, 20, 40, 50],
  });
});

test('without a pause the attempts follow each other', async () => {
  expect(await run({ attempts: 3 }, [])).toEqual({ result: CONFLICT, tries: 3, pausesMs: [] });
});

test('an error ends the attempts', async () => {
  const { clock } = pausingClock();
  const failing = retryOptimistically({ clock, random: () => 0 }, POLICY, () =>
    Promise.reject(new Error('outage')),
  );
  await expect(failing).rejects.toThrow('outage');
});
