import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { NotUnderstood, readArguments, USAGE, type Wanted } from './arguments.ts';
import { describeHistory } from './histories/describe.ts';
import { planFor } from './histories/parts.ts';
import { runHistory } from './histories/run-history.ts';
import { inProcesses } from './pool.ts';
import { reportOf, tableOf } from './report.ts';
import { runScenario } from './run-scenario.ts';
import { MOST_IMPORTANT, scenarioNamed } from './scenarios.ts';
import { describeRun, type Task, type TaskReport, WAYS } from './tasks.ts';
import { type Trial, tryMutants } from './try-mutants.ts';

/** Small tasks, so that all processes finish at about the same time. */
const HISTORIES_IN_A_TASK = 25;
/** Distance between seeds, so that histories of two runs never share one. */
const SEEDS_APART = 1_000_000;

type Torture = Extract<Wanted, { readonly kind: 'torture' }>;
type RunAgain = Extract<Wanted, { readonly kind: 'run again' | 'live again' }>;

function wantedOrExit(): Wanted {
  try {
    return readArguments(process.argv.slice(2), availableParallelism());
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** Longest tasks first, so that all processes finish at about the same time. */
function tasksOf({ scenarios, pairs, share, histories, seed }: Torture): Task[] {
  const explorations = scenarios.flatMap((scenario) =>
    WAYS.map(
      (way): Task => ({
        kind: 'scenario',
        way,
        scenario,
        seed,
        share,
        ...(way === 'pairs' && !MOST_IMPORTANT.includes(scenario) ? { sample: pairs } : {}),
      }),
    ),
  );
  const isLong = (task: Task) =>
    task.kind === 'scenario' && task.way === 'pairs' && task.sample === undefined;
  const seeds = Array.from({ length: histories }, (_, index) => seed * SEEDS_APART + index);
  return [
    ...explorations.filter(isLong),
    ...explorations.filter((task) => !isLong(task)),
    ...Array.from(
      { length: Math.ceil(histories / HISTORIES_IN_A_TASK) },
      (_, part): Task => ({
        kind: 'histories',
        seeds: seeds.slice(part * HISTORIES_IN_A_TASK, (part + 1) * HISTORIES_IN_A_TASK),
      }),
    ),
  ];
}

function tellTrial(trial: Trial): void {
  const { mutant, verdict } = trial;
  if (verdict === 'SURVIVED') console.error(`\nmutant ${mutant} broke no promise that is seen`);
  if (verdict === 'FAILED') console.error(`\nmutant ${mutant} could not be tried: ${trial.why}`);
}

/** Rewrites one line of progress on a terminal. */
function showProgress(what: string, done: number, all: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r${what}: ${String(done)} of ${String(all)}${done === all ? '\n' : ''}`);
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

/** @returns true if every promise held and every mutant was caught. */
async function torture(wanted: Torture): Promise<boolean> {
  const { scenarios, mutants, processes, seed, isJson } = wanted;
  const startedAt = performance.now();
  const reports: TaskReport[] = [];
  const tasks = tasksOf(wanted);
  for await (const report of inProcesses(tasks, processes)) {
    reports.push(report);
    showProgress('tasks', reports.length, tasks.length);
    for (const finding of report.findings) console.error(`\n${finding}`);
  }
  const trials: Trial[] = [];
  for await (const trial of tryMutants(mutants, { processes, seed })) {
    trials.push(trial);
    showProgress('mutants', trials.length, mutants.length);
    tellTrial(trial);
  }
  const wallSeconds = Math.round((performance.now() - startedAt) / 1000);
  const report = reportOf(scenarios, reports, trials, { wallSeconds, seed, commit: commit() });
  const words = isJson
    ? JSON.stringify({ ...report, trials }, undefined, 2)
    : tableOf(report).join('\n');
  console.log(words);
  return report.violations === 0 && report.mutants.caught === report.mutants.tried;
}

/** @returns true if every promise held this time. */
async function seeAgain(wanted: RunAgain): Promise<boolean> {
  process.env['POWERTOOLS_LOG_LEVEL'] ??= 'SILENT';
  const { seed } = wanted;
  if (wanted.kind === 'run again') {
    const run = await runScenario(scenarioNamed(wanted.scenario), seed, wanted.strikes);
    console.log(run.violations.length === 0 ? 'No violation.' : describeRun(run, seed));
    return run.violations.length === 0;
  }
  const run = await runHistory(seed, await planFor(seed, wanted.kept));
  console.log(describeHistory(run));
  return run.violations.length === 0;
}

async function perform(wanted: Wanted): Promise<boolean> {
  switch (wanted.kind) {
    case 'help':
      console.log(USAGE);
      return true;
    case 'torture':
      return torture(wanted);
    case 'run again':
    case 'live again':
      return seeAgain(wanted);
  }
}

// A stopped world leaves nothing to wait for.
process.exit((await perform(wantedOrExit())) ? 0 : 1);
