import { drawPlan } from './draw-plan.ts';
import type { Struck } from './fault-injector.ts';
import type { Plan } from './plan.ts';
import { type HistoryRun, runHistory } from './run-history.ts';

/** Something that a history can do without: one operation, one outage, one strike of a fault. */
export interface Part {
  /** From 1, in the history that the seed stands for. */
  readonly number: number;
  /** What several parts have in common: a user's name, or a kind of fault. */
  readonly group: string;
}

/** The parts of a whole history: its operations, its outages, and every strike of it in its order. */
export function partsOf(whole: HistoryRun): Part[] {
  const { operations, outages } = whole.plan;
  return [
    ...operations.map(({ user }) => user),
    ...outages.map(({ kind }) => kind),
    ...strikesOf(whole).map(({ kind }) => kind),
  ].map((group, index) => ({ number: index + 1, group }));
}

/** The plan of what is left of a whole history when only some of its parts happen. */
export function cutDown(whole: HistoryRun, kept: Iterable<number>): Plan {
  const { plan } = whole;
  const numbers = new Set(kept);
  const operations = plan.operations.length;
  const outages = operations + plan.outages.length;
  return {
    ...plan,
    kept: [...numbers].sort((a, b) => a - b),
    operations: plan.operations.filter(({ number }) => numbers.has(number)),
    outages: plan.outages.filter((_outage, index) => numbers.has(operations + index + 1)),
    strikes: strikesOf(whole)
      .filter((_strike, index) => numbers.has(outages + index + 1))
      .map(({ label }) => label),
  };
}

/** The plan of a seed, or of what is to be kept of it; for that, the whole is run once. */
export async function planFor(seed: number, kept?: readonly number[]): Promise<Plan> {
  return kept === undefined ? drawPlan(seed) : cutDown(await runHistory(seed), kept);
}

function strikesOf({ struck, plan }: HistoryRun): Struck[] {
  return struck.filter(({ kind }) => kind in plan.rates);
}
