import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TrialOrder, TrialReport } from './mutant-trial.ts';
import { theService } from './world/world.ts';

/**
 * - `CAUGHT`: the torture saw a broken promise.
 * - `SURVIVED`: every promise held in every exploration.
 * - `FAILED`: no result, because the mutant could not be applied, or its process broke down or timed out.
 */
export type Trial =
  | ({ readonly mutant: string; readonly verdict: 'CAUGHT'; readonly runs: number } & Required<
      Pick<TrialReport, 'caughtBy'>
    >)
  | { readonly mutant: string; readonly verdict: 'SURVIVED'; readonly runs: number }
  | { readonly mutant: string; readonly verdict: 'FAILED'; readonly why: string };

const DIRECTORY = fileURLToPath(new URL('..', import.meta.url));
const SCRIPT = fileURLToPath(new URL('./mutant-trial.ts', import.meta.url));
const MUTATION = new URL('./mutation.ts', import.meta.url).href;

/** Searching everywhere could take longer, but a mutant that needs more counts as not caught. */
const LONGEST_TRIAL_MS = 5 * 60 * 1000;

/** Tries one mutant in a process of its own. */
export async function tryMutant(mutant: string, seed: number): Promise<Trial> {
  const child = fork(SCRIPT, {
    cwd: DIRECTORY,
    execArgv: ['--import', MUTATION],
    env: { ...process.env, MUTANT: mutant, POWERTOOLS_LOG_LEVEL: 'SILENT' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: LONGEST_TRIAL_MS,
    killSignal: 'SIGKILL',
  });
  const order: TrialOrder = { mutant, seed, service: await theService() };
  // A process that refused its mutant has stopped listening; its exit code says why.
  child.send(order, () => undefined);
  const { report, why } = await endOf(child);
  if (report === undefined || why !== undefined) {
    return { mutant, verdict: 'FAILED', why: why ?? 'it ended without a word' };
  }
  const { runs, caughtBy } = report;
  return caughtBy === undefined
    ? { mutant, verdict: 'SURVIVED', runs }
    : { mutant, verdict: 'CAUGHT', runs, caughtBy };
}

/**
 * Tries mutants, several at a time.
 * @returns each trial as it ends.
 */
export async function* tryMutants(
  mutants: readonly string[],
  { processes, seed }: { readonly processes: number; readonly seed: number },
): AsyncGenerator<Trial> {
  const left = [...mutants];
  const running = new Map<string, Promise<Trial>>();
  const begin = () => {
    for (const mutant of left.splice(0, processes - running.size)) {
      running.set(mutant, tryMutant(mutant, seed));
    }
  };
  begin();
  while (running.size > 0) {
    const trial = await Promise.race(running.values());
    running.delete(trial.mutant);
    yield trial;
    begin();
  }
}

interface End {
  readonly report: TrialReport | undefined;
  /** Reason why there is no usable report. */
  readonly why: string | undefined;
}

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve, reject) => {
    let report: TrialReport | undefined;
    let errors = '';
    child.on('message', (message) => {
      report = message as TrialReport;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const why =
        code === 0 ? undefined : `exit ${String(code ?? signal)}: ${errors.trim().slice(-500)}`;
      resolve({ report, why });
    });
  });
}
