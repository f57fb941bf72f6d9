import { cutDown, partsOf } from './parts.ts';
import { type HistoryRun, runHistory } from './run-history.ts';

/** About as many runs as a person has the patience for. */
const MOST_RUNS = 200;

/**
 * Removes the parts of a history that its violation does not need: all faults of a kind, all operations of a
 * user, then smaller and smaller pieces.
 * @param whole the run of a seed's own plan.
 * @param run runs one history.
 * @returns the run of the smallest plan found that breaks a promise of the same kind; `whole` if it breaks
 * none.
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

  /** @returns true if the violation remains without the other parts. */
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
    // From the end, so that the parts still to be tried keep their positions.
    for (let end = kept.length; end > 0; end -= size) {
      const start = Math.max(0, end - size);
      await goesWithout([...kept.slice(0, start), ...kept.slice(end)]);
    }
  }
  return smallest;
}

/** Kinds of the broken promises: the text before the colon. */
function kindsOf({ violations }: HistoryRun): Set<string> {
  return new Set(violations.map((words) => words.split(':')[0] ?? ''));
}
