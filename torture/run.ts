import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { seededRandom } from '../tests/support/seeded-random.ts';
import { exploreAllPairs, exploreCrashes, explorePairs, isSideEffect } from './explore.ts';
import { type Run, runScenario } from './run-scenario.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { formatStrikes, parseStrikes, type Strike, UnknownStrike } from './strikes.ts';

const USAGE = `Usage: npm run torture -- [options]

Runs each scenario once for every side effect and every fault (the process dies just before it, just
after it, or its answer is lost), then with pairs of faults, and holds the promises against what is
stored when nothing moves any more.

  --scenario WORDS   only scenarios whose name has these words
  --pairs N|all      pairs of faults, shared out over the scenarios (200), or every one of them
  --seed N           decides ids, random numbers and pairs (1)
  --strikes LIST     only this run of one scenario: "dies after@17,dies before@40"
  --json             for programs
  --help             this

Exit code: 0 no violation, 1 a violation, 2 not understood.`;

interface Row {
  readonly scenario: string;
  points: number;
  runs: number;
  pairs: number;
  violations: number;
  longestRestMs: number;
}

function fail(words: string): never {
  console.error(`${words}\n\n${USAGE}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        scenario: { type: 'string', default: '' },
        pairs: { type: 'string', default: '200' },
        seed: { type: 'string', default: '1' },
        strikes: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(name: string, text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : fail(`--${name} must be a whole number: ${text}`);
}

function strikesOf(text: string): Strike[] {
  try {
    return parseStrikes(text);
  } catch (error) {
    if (error instanceof UnknownStrike) return fail(`--strikes: ${error.message}`);
    throw error;
  }
}

/** What happened in a run, and how to see it again. */
function tell({ scenario, strikes, effects, violations }: Run, seed: number): void {
  const list = formatStrikes(strikes);
  const struck = strikes.map(({ what, n }) => {
    const effect = effects[n - 1];
    return `${what} ${effect?.operation ?? '?'} by ${effect?.by ?? '?'}`;
  });
  console.error(`\n${scenario}: ${struck.join(', then ') || 'without a fault'}`);
  for (const words of violations) console.error(`  ${words}`);
  console.error(
    `  again: npm run torture -- --seed ${String(seed)} --scenario "${scenario}" --strikes "${list}"`,
  );
}

async function explore(
  scenario: Scenario,
  seed: number,
  pairs: number | 'all',
  random: () => number,
): Promise<Row> {
  const row: Row = {
    scenario: scenario.name,
    points: 0,
    runs: 0,
    pairs: 0,
    violations: 0,
    longestRestMs: 0,
  };
  const count = (run: Run) => {
    row.longestRestMs = Math.max(row.longestRestMs, run.restMs);
    if (run.violations.length === 0) return;
    row.violations += 1;
    tell(run, seed);
  };
  for await (const run of exploreCrashes(scenario, seed)) {
    if (run.strikes.length === 0) row.points = run.effects.filter(isSideEffect).length;
    row.runs += 1;
    count(run);
  }
  const explored =
    pairs === 'all' ? exploreAllPairs(scenario, seed) : explorePairs(scenario, seed, pairs, random);
  for await (const run of explored) {
    row.pairs += 1;
    count(run);
  }
  return row;
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

const values = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
process.env['POWERTOOLS_LOG_LEVEL'] ??= 'SILENT';
const seed = wholeNumber('seed', values.seed);
const pairs = values.pairs === 'all' ? 'all' : wholeNumber('pairs', values.pairs);
const wanted = SCENARIOS.filter(({ name }) => name.includes(values.scenario));
if (wanted.length === 0) {
  fail(`No scenario has these words. There are: ${SCENARIOS.map(({ name }) => name).join(', ')}`);
}

if (values.strikes !== undefined) {
  const [scenario] = wanted.filter(({ name }) => name === values.scenario);
  if (scenario === undefined) fail('--strikes needs the whole name of one --scenario.');
  const run = await runScenario(scenario, seed, strikesOf(values.strikes));
  if (run.violations.length > 0) tell(run, seed);
  else console.log('No violation.');
  process.exit(run.violations.length === 0 ? 0 : 1);
}

const startedAt = performance.now();
const random = seededRandom(seed);
const rows: Row[] = [];
for (const [index, scenario] of wanted.entries()) {
  const share =
    pairs === 'all'
      ? pairs
      : Math.floor(pairs / wanted.length) + (index < pairs % wanted.length ? 1 : 0);
  rows.push(await explore(scenario, seed, share, random));
}
const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
const total = {
  scenarios: rows.length,
  crashPoints: sum((row) => row.points),
  runs: sum((row) => row.runs),
  pairs: sum((row) => row.pairs),
  violations: sum((row) => row.violations),
  longestRestSeconds: Math.max(...rows.map((row) => row.longestRestMs)) / 1000,
  wallSeconds: Math.round((performance.now() - startedAt) / 1000),
  seed,
  commit: commit(),
};
if (values.json) console.log(JSON.stringify({ rows, total }, undefined, 2));
else {
  const width = Math.max(...rows.map(({ scenario }) => scenario.length));
  const line = (name: string, ...cells: readonly (string | number)[]) =>
    `${name.padEnd(width)}${cells.map((cell) => String(cell).padStart(12)).join('')}`;
  console.log(line('scenario', 'crash points', 'runs', 'pairs', 'violations', 'rest, s'));
  for (const row of rows) {
    const { scenario, points, runs, pairs: pairsRun, violations, longestRestMs } = row;
    console.log(line(scenario, points, runs, pairsRun, violations, longestRestMs / 1000));
  }
  console.log(
    line(
      'all',
      total.crashPoints,
      total.runs,
      total.pairs,
      total.violations,
      total.longestRestSeconds,
    ),
  );
  console.log(
    `\n${String(total.wallSeconds)} s, seed ${String(seed)}, commit ${total.commit}. Rest: the longest time from an act of the user until nothing moved any more, on the fake clock.`,
  );
}
process.exit(total.violations === 0 ? 0 : 1);
