import { z } from 'zod';

/** The number of cases bounds a run; the time only ends one that hangs. */
export const MAX_SECONDS = 360;
const MIN_CASES = 3000;

/** Number of answers by operation (`POST /order`) and status, as the hooks of schemathesis write it. */
export const answersSchema = z.record(z.string(), z.record(z.string(), z.int()));

/** A run of schemathesis that has ended. */
export interface FuzzRun {
  readonly operations: readonly string[];
  readonly answers: z.infer<typeof answersSchema>;
  readonly seconds: number;
  /** 0 if every check passed; null if the process was ended. */
  readonly exitCode: number | null;
}

const METHODS = ['get', 'post', 'put', 'delete', 'patch'];
const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });

/** Lists the operations of an OpenAPI document. */
export function operationsOf(document: unknown): string[] {
  const { paths } = documentSchema.parse(document);
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

/** One line an operation, and a last one with the run's numbers. */
export function summaryOf(run: FuzzRun): string {
  const { operations, seconds } = run;
  const lines = operations.map((name) => {
    const counts = countsOf(run, name).map(([status, count]) => `${status} ×${String(count)}`);
    return `${name}: ${counts.join(', ')}`;
  });
  const numbers = [
    `${String(operations.length)} operations`,
    `${String(casesOf(run))} cases`,
    `at least ${String(fewestSuccessesOf(run))} answers of 2xx each`,
    `${seconds.toFixed(0)} s`,
  ];
  return [...lines, numbers.join(', ')].join('\n');
}

/** Lists the reasons for which a run has failed or proves too little. */
export function shortcomingsOf(run: FuzzRun): string[] {
  const { exitCode, seconds } = run;
  // Without its end, schemathesis writes no answers.
  if (exitCode === null) return [`schemathesis was ended after ${seconds.toFixed(0)} s`];
  const cases = casesOf(run);
  return [
    ...(seconds > MAX_SECONDS ? [`took more than ${String(MAX_SECONDS)} s`] : []),
    ...(exitCode === 0 ? [] : ['schemathesis failed: see its report']),
    ...(cases < MIN_CASES ? [`only ${String(cases)} of ${String(MIN_CASES)} cases`] : []),
    ...run.operations
      .filter((name) => successesOf(run, name) === 0)
      .map((name) => `${name} never answered 2xx`),
  ];
}

function countsOf({ answers }: FuzzRun, operation: string): [status: string, count: number][] {
  return Object.entries(answers[operation] ?? {});
}

const sum = (counts: readonly [string, number][]) =>
  counts.reduce((total, [, count]) => total + count, 0);

function casesOf(run: FuzzRun): number {
  return sum(run.operations.flatMap((name) => countsOf(run, name)));
}

function successesOf(run: FuzzRun, operation: string): number {
  return sum(countsOf(run, operation).filter(([status]) => status.startsWith('2')));
}

function fewestSuccessesOf(run: FuzzRun): number {
  return Math.min(...run.operations.map((name) => successesOf(run, name)));
}
