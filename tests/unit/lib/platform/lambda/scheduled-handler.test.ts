import type { Context } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import type { Round } from '../../../../../lib/platform/lambda/round.ts';
import { scheduledHandler } from '../../../../../lib/platform/lambda/scheduled-handler.ts';

const DONE: Round = { handled: 3, isCutShort: false, left: 0, oldestOverdueMs: 0, unread: [] };

function contextWith(remainingMs: () => number): Context {
  return { getRemainingTimeInMillis: remainingMs } as Context;
}

/** Runs a handler whose round has this result, with a minute left. */
function after(round: Round): Promise<unknown> {
  const handler = scheduledHandler('test', () => Promise.resolve(round));
  return handler(
    {},
    contextWith(() => 60_000),
  );
}

describe('a scheduled function', () => {
  test.each([
    [60_000, true],
    [15_001, true],
    [15_000, false],
    [0, false],
  ])('with %i ms left may begin something new: %s', async (remainingMs, expected) => {
    let hadTime: boolean | undefined;
    const handler = scheduledHandler('test', (hasTime) => {
      hadTime = hasTime();
      return Promise.resolve(DONE);
    });
    await handler(
      {},
      contextWith(() => remainingMs),
    );
    expect(hadTime).toBe(expected);
  });

  test('asks for the time that is left then, not for what there was at its start', async () => {
    let remainingMs = 60_000;
    const seen: boolean[] = [];
    const handler = scheduledHandler('test', (hasTime) => {
      seen.push(hasTime());
      remainingMs = 1000;
      seen.push(hasTime());
      return Promise.resolve(DONE);
    });
    await handler(
      {},
      contextWith(() => remainingMs),
    );
    expect(seen).toEqual([true, false]);
  });

  test('answers how many it handled, also where time was too short for all', async () => {
    expect(await after(DONE)).toEqual({ handled: 3 });
    expect(await after({ ...DONE, isCutShort: true, left: 7 })).toEqual({ handled: 3 });
  });

  test('fails after its work where something could not be read, with the reason', async () => {
    const error = new InfrastructureUnavailable('Throttled.');
    const failing = after({ ...DONE, unread: [{ shard: 4, error }] });
    await expect(failing).rejects.toMatchObject({
      name: 'InfrastructureUnavailable',
      cause: error,
    });
  });
});
