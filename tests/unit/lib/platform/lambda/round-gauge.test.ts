import type { Context } from 'aws-lambda';
import { afterEach, expect, test, vi } from 'vitest';
import { scheduledHandler } from '../../../../../lib/platform/lambda/scheduled-handler.ts';

process.env['POWERTOOLS_METRICS_NAMESPACE'] = 'ordersaga/test';
process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  [0, 0],
  [90_500, 90.5],
])('a round whose oldest work was due for %i ms measures %f seconds', async (ms, seconds) => {
  const lines: unknown[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(JSON.parse(String(text)));
    return true;
  });
  const round = { handled: 0, isCutShort: false, left: 0, oldestOverdueMs: ms, unread: [] };
  const handler = scheduledHandler('expire-reservations', () => Promise.resolve(round));
  await handler({}, { getRemainingTimeInMillis: () => 60_000 } as Context);
  expect(lines).toEqual([
    expect.objectContaining({ operation: 'expire-reservations', OldestDueWork: seconds }),
  ]);
});

test.each([
  ['ends early', () => Promise.reject(new TypeError('A defect.')), ['RoundFailed']],
  [
    'cannot read a shard',
    () =>
      Promise.resolve({
        handled: 0,
        isCutShort: false,
        left: 0,
        oldestOverdueMs: 0,
        unread: [{ shard: 4, error: new Error('Throttled.') }],
      }),
    ['OldestDueWork', 'RoundFailed'],
  ],
])('a round that %s counts once, as failed', async (_case, perform, expected) => {
  const metrics: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    metrics.push(String(text));
    return true;
  });
  const handler = scheduledHandler('expire-reservations', perform);
  const round = handler({}, { getRemainingTimeInMillis: () => 60_000 } as Context);
  await expect(round).rejects.toBeDefined();
  expect(metrics.map((line) => /OldestDueWork|RoundFailed/.exec(line)?.[0])).toEqual(expected);
});
