import { exploreCrashes, exploreLate, exploreLostRuns, exploreRivals } from './explore.ts';
import type { Hunt } from './mutant.ts';
import { type Run, runScenario } from './run-scenario.ts';
import { SCENARIOS, scenarioNamed } from './scenarios.ts';

/** Cheapest first. */
const KINDS = [
  'plain',
  'crash',
  'lost run',
  'rival',
  'late',
] as const satisfies readonly Hunt['kind'][];

/** All explorations of all scenarios, for a violation that the meant one does not show. */
const EVERYWHERE: readonly Hunt[] = KINDS.flatMap((kind) =>
  SCENARIOS.map(({ name }) => ({ kind, scenario: name })),
);

/** The violation found, if any, and the number of runs. */
export interface Catch {
  readonly run: Run | undefined;
  readonly runs: number;
}

/** Searches for a violation, first in the meant exploration, then in all others. */
export async function hunt(meant: Hunt, seed: number): Promise<Catch> {
  let runs = 0;
  for (const one of [meant, ...EVERYWHERE]) {
    for await (const run of explored(one, seed)) {
      runs += 1;
      if (run.violations.length > 0) return { run, runs };
    }
  }
  return { run: undefined, runs };
}

async function* explored({ kind, scenario: name, rival }: Hunt, seed: number): AsyncGenerator<Run> {
  const scenario = scenarioNamed(name);
  switch (kind) {
    case 'plain':
      yield await runScenario(scenario, seed, []);
      return;
    case 'crash':
      yield* exploreCrashes(scenario, seed);
      return;
    case 'lost run':
      yield* exploreLostRuns(scenario, seed);
      return;
    case 'rival':
      yield* exploreRivals(scenario, seed, rival === undefined ? undefined : [rival]);
      return;
    case 'late':
      yield* exploreLate(scenario, seed);
      return;
  }
}
