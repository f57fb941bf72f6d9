import { expect, test } from 'vitest';
import { reportOf, tableOf } from '../../../torture/report.ts';
import type { TaskReport } from '../../../torture/tasks.ts';

const about = (task: TaskReport['task'], told: Partial<TaskReport>): TaskReport => ({
  task,
  runs: 0,
  crashPoints: 0,
  operations: 0,
  faults: {},
  longestRestMs: 0,
  findings: [],
  ...told,
});

const crashes = about(
  { kind: 'scenario', way: 'crashes', scenario: 'paid', seed: 1, share: 1 },
  { runs: 58, crashPoints: 19, longestRestMs: 180_000, faults: { 'dies before': 19 } },
);
const pairs = about(
  { kind: 'scenario', way: 'pairs', scenario: 'paid', seed: 1, share: 1, sample: 5 },
  {
    runs: 5,
    longestRestMs: 240_500,
    faults: { 'dies before': 4, 'dies after': 6 },
    findings: ['x'],
  },
);
const lostRuns = about(
  { kind: 'scenario', way: 'lost runs', scenario: 'paid', seed: 1, share: 1 },
  { runs: 24, faults: { 'loses its run at': 24 } },
);
const rivals = about(
  { kind: 'scenario', way: 'rivals', scenario: 'expired', seed: 1, share: 1 },
  { runs: 30, faults: { 'rival cancels': 30 } },
);
const histories = [1000, 2000].map((operations) =>
  about(
    { kind: 'histories', seeds: [1, 2] },
    { runs: 2, operations, longestRestMs: operations, faults: { throttled: 9, conflict: 0 } },
  ),
);

const circumstances = { wallSeconds: 12, seed: 1, commit: 'abc1234' };

test('one table sums up every part', () => {
  const report = reportOf(
    ['paid', 'expired'],
    [crashes, pairs, lostRuns, rivals, ...histories],
    [
      { mutant: 'a', verdict: 'SURVIVED', runs: 3 },
      { mutant: 'b', verdict: 'FAILED', why: 'exit 70' },
      {
        mutant: 'c',
        verdict: 'CAUGHT',
        runs: 1,
        caughtBy: { scenario: 'paid', strikes: '', violation: 'P1' },
      },
    ],
    circumstances,
  );
  expect(tableOf(report)).toEqual([
    'scenario  points crashes   pairs    lost  rivals    late  broken rest, s',
    'paid          19      58       5      24       0       0       1   240.5',
    'expired        0       0       0       0      30       0       0       0',
    'all           19      58       5      24      30       0       1   240.5',
    '',
    'histories        4, 3,000 operations, 0 with violations, longest rest 2 s',
    'faults           dies before 23, dies after 6, loses its run at 24, rival cancels 30',
    '                 throttled 18',
    'mutants caught   1 of 3',
    'violations       1',
    '',
    '12 s, seed 1, commit abc1234. Points: side effects without a fault. Broken: violations.',
    'Rest: the longest time from an act of a user until nothing moved any more, on the fake clock.',
  ]);
});

test('what was not run is left out', () => {
  expect(tableOf(reportOf([], [], [], circumstances))).toEqual([
    'violations       0',
    '',
    expect.stringContaining('12 s, seed 1'),
    expect.stringContaining('Rest: '),
  ]);
});
