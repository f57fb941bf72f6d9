import { seededRandom } from '../tests/support/seeded-random.ts';
import {
  exploreAllPairs,
  exploreCrashes,
  exploreLate,
  exploreLostRuns,
  explorePairs,
  exploreRivals,
  isSideEffect,
} from './explore.ts';
import { describeHistory } from './histories/describe.ts';
import { type HistoryRun, runHistory } from './histories/run-history.ts';
import { shrinkHistory } from './histories/shrink.ts';
import type { Run } from './run-scenario.ts';
import { type Scenario, scenarioNamed } from './scenarios.ts';
import { formatStrikes } from './strikes.ts';

/** Explorations of one scenario, each a task of its own. */
export const WAYS = ['crashes', 'pairs', 'lost runs', 'rivals', 'late'] as const;

export type Way = (typeof WAYS)[number];

/** A piece of work for one process. */
export type Task =
  | {
      readonly kind: 'scenario';
      readonly way: Way;
      readonly scenario: string;
      readonly seed: number;
      /** Number of pairs to draw with the seed; all if undefined. */
      readonly sample?: number;
      /** Share of rivals or delays to run, also of those of a lost run, drawn with the seed; from 0 to 1. */
      readonly share: number;
    }
  | { readonly kind: 'histories'; readonly seeds: readonly number[] };

/** Result of one task. */
export interface TaskReport {
  readonly task: Task;
  readonly runs: number;
  /** Number of side effects of the scenario without strikes. */
  readonly crashPoints: number;
  /** Number of calls in histories. */
  readonly operations: number;
  /** Number of strikes by kind of fault. */
  readonly faults: Readonly<Record<string, number>>;
  readonly longestRestMs: number;
  /** One text for each run that broke a promise: strikes, violations, and the command that repeats it. */
  readonly findings: readonly string[];
}

/** Describes a run for a person: the strikes, the violations, and the command that repeats it. */
export function describeRun({ scenario, strikes, effects, violations }: Run, seed: number): string {
  const struck = strikes.map(({ what, n }) => {
    const { operation = '?', by = '?' } = effects[n - 1] ?? {};
    return `${what} ${operation} by ${by}`;
  });
  const options = `--seed ${String(seed)} --scenario "${scenario}" --strikes "${formatStrikes(strikes)}"`;
  return [
    `${scenario}: ${struck.join(', then ') || 'without a fault'}`,
    ...violations.map((words) => `  ${words}`),
    `  again: npm run torture -- ${options}`,
  ].join('\n');
}

/** Shrinking takes many runs, so a task shrinks only its first histories. */
const HISTORIES_MADE_SMALLER = 2;

export async function perform(task: Task): Promise<TaskReport> {
  const tally = new Tally();
  if (task.kind === 'histories') {
    for (const seed of task.seeds) await tally.addHistory(await runHistory(seed));
  } else {
    for await (const run of explore(scenarioNamed(task.scenario), task)) {
      tally.addRun(run, task.seed);
    }
  }
  return tally.report(task);
}

function explore(
  scenario: Scenario,
  { way, seed, sample, share }: Extract<Task, { readonly kind: 'scenario' }>,
): AsyncGenerator<Run> {
  const random = seededRandom(seed);
  const isDrawn = () => random() < share;
  switch (way) {
    case 'crashes':
      return exploreCrashes(scenario, seed);
    case 'pairs':
      return sample === undefined
        ? exploreAllPairs(scenario, seed)
        : explorePairs(scenario, seed, sample, random);
    case 'lost runs':
      return exploreLostRuns(scenario, seed, isDrawn);
    case 'rivals':
      return exploreRivals(scenario, seed, undefined, isDrawn);
    case 'late':
      return exploreLate(scenario, seed, isDrawn);
  }
}

class Tally {
  readonly #faults: Record<string, number> = {};
  readonly #findings: string[] = [];
  #runs = 0;
  #crashPoints = 0;
  #operations = 0;
  #longestRestMs = 0;

  addRun(run: Run, seed: number): void {
    this.#runs += 1;
    this.#longestRestMs = Math.max(this.#longestRestMs, run.restMs);
    for (const { what } of run.strikes) this.#countFault(what, 1);
    if (run.strikes.length === 0) this.#crashPoints = run.effects.filter(isSideEffect).length;
    if (run.violations.length > 0) this.#findings.push(describeRun(run, seed));
  }

  async addHistory(run: HistoryRun): Promise<void> {
    this.#runs += 1;
    this.#operations += run.operations;
    this.#longestRestMs = Math.max(this.#longestRestMs, run.restMs);
    for (const [kind, times] of Object.entries(run.faults)) this.#countFault(kind, times);
    if (run.violations.length === 0) return;
    const smallest =
      this.#findings.length < HISTORIES_MADE_SMALLER ? await shrinkHistory(run) : run;
    this.#findings.push(describeHistory(smallest));
  }

  report(task: Task): TaskReport {
    return {
      task,
      runs: this.#runs,
      crashPoints: this.#crashPoints,
      operations: this.#operations,
      faults: this.#faults,
      longestRestMs: this.#longestRestMs,
      findings: this.#findings,
    };
  }

  #countFault(kind: string, times: number): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + times;
  }
}
