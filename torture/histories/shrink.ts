import { cutDown, partsOf } from './parts.ts';
import { type HistoryRun, runHistory } from './run-history.ts';

/** So many runs take about as long as a person likes to wait. */
const MOST_RUNS = 200;

/**
 * Leaves out of a history whatever its violation does not need: all faults of a kind, all that a user
 * does, then ever smaller pieces; nothing where it has no violation.
 * @param whole the run of a seed's own plan.
 * @param run how histories are run.
 * @returns the run of the smallest plan that was found to break a promise of the same kind.
 */
export async function shrinkHistory(
  whole: HistoryRun,
  mostRuns = MOST_RUNS,
  run: typeof runHistory = runHistory,
): Promise<HistoryRun> {
  const wanted = kindsOf(whole);
  let runs = 0;
  let smallest = whole;
  let kept = partsOf(whole);

  /** @returns whether the violation is still there without them. */
  const goesWithout = async (left: typeof kept): Promise<boolean> => {
    if (left.length === kept.length || runs >= mostRuns) return false;
    runs += 1;
    const smaller = await run(
      whole.seed,
      cutDown(
        whole,
        left.map(({ number }) => number),
      ),
    );
    if (![...kindsOf(smaller)].some((kind) => wanted.has(kind))) return false;
    smallest = smaller;
    kept = left;
    return true;
  };

  if (wanted.size === 0) return whole;
  for (const group of new Set(kept.map((part) => part.group))) {
    await goesWithout(kept.filter((part) => part.group !== group));
  }
  for (
    let size = Math.ceil(kept.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    // From the end, so that what is still to be tried keeps its place.
    for (let end = kept.length; end > 0; end -= size) {
      const start = Math.max(0, end - size);
      await goesWithout([...kept.slice(0, start), ...kept.slice(end)]);
    }
  }
  return smallest;
}

/** What kinds of promises are broken: the words before the colon. */
function kindsOf({ violations }: HistoryRun): Set<string> {
  return new Set(violations.map((words) => words.split(':')[0] ?? ''));
}
