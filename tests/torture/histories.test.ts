import { beforeAll, describe, expect, test } from 'vitest';
import { describeHistory } from '../../torture/histories/describe.ts';
import { drawPlan } from '../../torture/histories/draw-plan.ts';
import { partsOf, planFor } from '../../torture/histories/parts.ts';
import { type HistoryRun, runHistory } from '../../torture/histories/run-history.ts';
import { shrinkHistory } from '../../torture/histories/shrink.ts';

process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';

/** `npm run torture -- --histories N` runs more of them. */
const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

/** A run as text, so that any difference shows. */
const everything = (run: HistoryRun) => JSON.stringify(run);

describe('random histories', () => {
  const runs: HistoryRun[] = [];

  beforeAll(async () => {
    for (const seed of SEEDS) runs.push(await runHistory(seed));
  });

  test('keep every promise', () => {
    const broken = runs.filter(({ violations }) => violations.length > 0);
    expect(broken.map(describeHistory).join('\n')).toBe('');
  });

  test('have many kinds of ends, answers and faults', () => {
    const ends = new Set(runs.flatMap((run) => run.ends).map((end) => end.split(' ')[0]));
    expect([...ends].sort()).toEqual([
      'INVALID',
      'ORDER_CANCELLED',
      'ORDER_FAILED',
      'PAYMENT_DONE',
      'PAYMENT_FAILED',
      'PENDING_PAYMENT',
    ]);
    for (const outcome of ['ok', 'fail', 'unknown'] as const) {
      expect(runs.some(({ outcomes }) => outcomes[outcome] > 0)).toBe(true);
    }
    for (const kind of ['throttled', 'dies after', 'answer lost', 'slow'] as const) {
      expect(runs.some(({ faults }) => faults[kind] > 0)).toBe(true);
    }
  });

  test('come again from their seed, call by call', async () => {
    const wildest = runs.reduce((most, run) =>
      run.struck.length > most.struck.length ? run : most,
    );
    expect(everything(await runHistory(wildest.seed))).toBe(everything(wildest));
    expect(drawPlan(wildest.seed + 1000)).not.toEqual(drawPlan(wildest.seed));
  });

  test('are the same history when all of their parts are kept', async () => {
    const whole = runs.find(({ struck, plan }) => struck.length > 20 && plan.outages.length > 0);
    expect(whole).toBeDefined();
    const kept = partsOf(whole!).map(({ number }) => number);
    const again = await runHistory(whole!.seed, await planFor(whole!.seed, kept));
    expect(JSON.stringify(again.calls)).toBe(JSON.stringify(whole!.calls));
    expect(again.struck).toEqual(whole!.struck);
  });
});

describe('a history with a violation', () => {
  /** Reports an order that is INVALID, which any history with a placed order can have, as a violation. */
  const pretendBroken = (run: HistoryRun): HistoryRun =>
    run.ends.some((end) => end.startsWith('INVALID'))
      ? { ...run, violations: [...run.violations, 'pretended: an order is invalid'] }
      : run;
  const runAsBroken = async (...of: Parameters<typeof runHistory>) =>
    pretendBroken(await runHistory(...of));

  test('is cut down to what it needs, and that can be seen again', async () => {
    const seed = 3;
    const whole = await runAsBroken(seed);
    expect(whole.violations).toHaveLength(1);
    const smallest = await shrinkHistory(whole, 60, runAsBroken);
    expect(smallest.violations).toEqual(whole.violations);
    expect(smallest.plan.operations.length).toBeLessThan(4);
    expect(smallest.struck).toEqual([]);

    const words = describeHistory(smallest);
    const [, keep = ''] = /npm run torture -- --history 3 --keep ([\d,]+)$/.exec(words) ?? [];
    const plan = await planFor(seed, keep.split(',').map(Number));
    expect(everything(await runAsBroken(seed, plan))).toBe(everything(smallest));
    expect(words).toContain('broken: pretended: an order is invalid');
    expect(words.split('\n').length).toBeLessThan(14);
  });
});
