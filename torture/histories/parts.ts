import { drawPlan } from './draw-plan.ts';
import type { Struck } from './fault-injector.ts';
import type { Plan } from './plan.ts';
import { type HistoryRun, runHistory } from './run-history.ts';

/** A part that a history can omit: an operation, an outage, or one strike of a fault. */
export interface Part {
  /** Position in the full history, from 1. */
  readonly number: number;
  /** Name that related parts share: a user, or a kind of fault. */
  readonly group: string;
}

/** Parts of a full history: operations, outages, then all strikes in order. */
export function partsOf(whole: HistoryRun): Part[] {
  const { operations, outages } = whole.plan;
  return [
    ...operations.map(({ user }) => user),
    ...outages.map(({ kind }) => kind),
    ...strikesOf(whole).map(({ kind }) => kind),
  ].map((group, index) => ({ number: index + 1, group }));
}

/** Plan of a full history cut down to some of its parts. */
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

/** The plan of a seed, cut down if `kept` is given; that needs one full run. */
export async function planFor(seed: number, kept?: readonly number[]): Promise<Plan> {
  return kept === undefined ? drawPlan(seed) : cutDown(await runHistory(seed), kept);
}

function strikesOf({ struck, plan }: HistoryRun): Struck[] {
  return struck.filter(({ kind }) => kind in plan.rates);
}
