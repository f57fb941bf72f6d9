import type { TaskReport, Way } from './tasks.ts';
import type { Trial } from './try-mutants.ts';

export interface Row {
  readonly scenario: string;
  readonly crashPoints: number;
  readonly runs: Readonly<Record<Way, number>>;
  readonly violations: number;
  readonly longestRestMs: number;
}

/** Result of one run of the torture. */
export interface Report {
  readonly rows: readonly Row[];
  readonly histories: {
    readonly lived: number;
    readonly operations: number;
    readonly violations: number;
    readonly longestRestMs: number;
  };
  /** Number of strikes by kind, without the mutants. */
  readonly faults: Readonly<Record<string, number>>;
  readonly mutants: { readonly tried: number; readonly caught: number };
  readonly violations: number;
  readonly wallSeconds: number;
  readonly seed: number;
  readonly commit: string;
}

/** Facts of a run that come from the clock and the repository. */
export interface Circumstances {
  readonly wallSeconds: number;
  readonly seed: number;
  readonly commit: string;
}

const NO_RUNS: Readonly<Record<Way, number>> = {
  crashes: 0,
  pairs: 0,
  'lost runs': 0,
  rivals: 0,
  late: 0,
};

/** Heads of the table's columns. */
const HEADS: Readonly<Record<Way, string>> = {
  crashes: 'crashes',
  pairs: 'pairs',
  'lost runs': 'lost',
  rivals: 'rivals',
  late: 'late',
};

/** Width of a column; with the longest name of a scenario, a row has less than 120 characters. */
const CELL = 8;
const KINDS_IN_A_LINE = 4;

/** @param scenarios in the order of the report. */
export function reportOf(
  scenarios: readonly string[],
  reports: readonly TaskReport[],
  trials: readonly Trial[],
  circumstances: Circumstances,
): Report {
  const histories = reports.filter(({ task }) => task.kind === 'histories');
  const faults: Record<string, number> = {};
  for (const [kind, times] of reports.flatMap((report) => Object.entries(report.faults))) {
    faults[kind] = (faults[kind] ?? 0) + times;
  }
  return {
    rows: scenarios.map((scenario) => rowOf(scenario, reports)),
    histories: {
      lived: sum(histories, ({ runs }) => runs),
      operations: sum(histories, ({ operations }) => operations),
      violations: sum(histories, ({ findings }) => findings.length),
      longestRestMs: longest(histories),
    },
    faults,
    mutants: {
      tried: trials.length,
      caught: trials.filter(({ verdict }) => verdict === 'CAUGHT').length,
    },
    violations: sum(reports, ({ findings }) => findings.length),
    ...circumstances,
  };
}

function rowOf(scenario: string, reports: readonly TaskReport[]): Row {
  const own = reports.filter(({ task }) => task.kind === 'scenario' && task.scenario === scenario);
  const runs = { ...NO_RUNS };
  for (const { task, runs: done } of own) if (task.kind === 'scenario') runs[task.way] += done;
  return {
    scenario,
    crashPoints: Math.max(0, ...own.map(({ crashPoints }) => crashPoints)),
    runs,
    violations: sum(own, ({ findings }) => findings.length),
    longestRestMs: longest(own),
  };
}

/** The report's table as lines of text, without parts that were not run. */
export function tableOf(report: Report): string[] {
  const { rows, histories, faults, mutants, violations, wallSeconds, seed, commit } = report;
  const lines: string[] = [];
  if (rows.length > 0) {
    const width = Math.max('scenario'.length, ...rows.map(({ scenario }) => scenario.length));
    const line = (name: string, cells: readonly (string | number)[]) =>
      name.padEnd(width) + cells.map((cell) => String(cell).padStart(CELL)).join('');
    const cellsOf = ({
      crashPoints,
      runs,
      violations: broken,
      longestRestMs,
    }: Omit<Row, 'scenario'>) => [
      crashPoints,
      ...Object.values(runs),
      broken,
      longestRestMs / 1000,
    ];
    const heads = ['points', ...Object.values(HEADS), 'broken', 'rest, s'];
    lines.push(line('scenario', heads), ...rows.map((row) => line(row.scenario, cellsOf(row))));
    lines.push(line('all', cellsOf(totalOf(rows))), '');
  }
  if (histories.lived > 0) {
    lines.push(
      `histories        ${grouped(histories.lived)}, ${grouped(histories.operations)} operations, ${String(histories.violations)} with violations, longest rest ${String(histories.longestRestMs / 1000)} s`,
    );
  }
  const kinds = Object.entries(faults).filter(([, times]) => times > 0);
  if (kinds.length > 0) {
    const told = kinds.map(([kind, times]) => `${kind} ${grouped(times)}`);
    for (let first = 0; first < told.length; first += KINDS_IN_A_LINE) {
      const label = first === 0 ? 'faults' : '';
      lines.push(label.padEnd(17) + told.slice(first, first + KINDS_IN_A_LINE).join(', '));
    }
  }
  if (mutants.tried > 0) {
    lines.push(`mutants caught   ${String(mutants.caught)} of ${String(mutants.tried)}`);
  }
  lines.push(
    `violations       ${String(violations)}`,
    '',
    `${String(wallSeconds)} s, seed ${String(seed)}, commit ${commit}. Points: side effects without a fault. Broken: violations.`,
    'Rest: the longest time from an act of a user until nothing moved any more, on the fake clock.',
  );
  return lines;
}

function totalOf(rows: readonly Row[]): Omit<Row, 'scenario'> {
  const runs = { ...NO_RUNS };
  for (const way of Object.keys(runs) as Way[]) runs[way] = sum(rows, (row) => row.runs[way]);
  return {
    crashPoints: sum(rows, ({ crashPoints }) => crashPoints),
    runs,
    violations: sum(rows, ({ violations }) => violations),
    longestRestMs: longest(rows),
  };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function longest(items: readonly { readonly longestRestMs: number }[]): number {
  return Math.max(0, ...items.map(({ longestRestMs }) => longestRestMs));
}

const grouped = (count: number) => count.toLocaleString('en');
