import { type Disagreement, sameBreach, sameEvidence } from './disagreement.ts';
import type { Remedy } from './remedies.ts';

/** Findings of one reading of one subject. */
export interface Look<Subject> {
  readonly subject: Subject;
  readonly findings: readonly Disagreement[];
  /** True if the subject changed while it was read. It must be read again before it is judged. */
  readonly hasMoved: boolean;
}

/** Outcome of one disagreement. */
export type Verdict =
  | { readonly outcome: 'FOUND' | 'MENDED'; readonly disagreement: Disagreement }
  | {
      readonly outcome: 'NOT_MENDED';
      readonly disagreement: Disagreement;
      readonly because: string;
    };

export interface SecondLook<Subject> {
  /** @returns one look for each subject, in their order. */
  readonly lookAt: (subjects: readonly Subject[]) => Promise<readonly Look<Subject>[]>;
  /** Waits for the grace period. */
  readonly pause: () => Promise<void>;
  /** Applies a remedy; undefined if nothing is to be mended. */
  readonly mend: ((remedy: Remedy) => Promise<void>) | undefined;
  readonly tell: (verdict: Verdict) => void;
}

/** Readings of a subject that keeps changing, before the doctor gives up. */
const MAX_READINGS = 4;
const MAX_LOOKS_AFTER_MENDING = 3;

/** True if the look leaves nothing for another look. */
export function isClean({ findings, hasMoved }: Look<unknown>): boolean {
  return findings.length === 0 && !hasMoved;
}

/**
 * Reads suspects again after the grace period. It reports a disagreement that two consecutive readings found with
 * the same evidence, and mends it if `mend` is given. It reads a subject once more if a finding is new or the
 * subject changed while it was read.
 * @returns the subjects that still changed at the end. They cannot be judged.
 */
export async function lookAgain<Subject>(
  suspects: readonly Look<Subject>[],
  second: SecondLook<Subject>,
): Promise<readonly Subject[]> {
  let open = suspects;
  for (let round = 0; open.length > 0 && round < MAX_READINGS; round += 1) {
    await second.pause();
    const looks = await second.lookAt(open.map(({ subject }) => subject));
    const next: Look<Subject>[] = [];
    for (const [index, look] of looks.entries()) {
      const before = open[index]?.findings ?? [];
      const standing = look.findings.filter((one) => before.some((was) => sameEvidence(one, was)));
      const rest = await settle(look, standing, second);
      if (!isClean(rest)) next.push(rest);
    }
    open = next;
  }
  return open.map(({ subject }) => subject);
}

/**
 * Reports the standing disagreements one by one. Another look follows each remedy, because a remedy may mend more
 * than one disagreement. A remedy counts only if its disagreement is gone.
 * @returns the look to repeat: it holds new findings, and those that the effects of a remedy kept from being
 * judged.
 */
async function settle<Subject>(
  first: Look<Subject>,
  standing: readonly Disagreement[],
  { lookAt, mend, tell }: SecondLook<Subject>,
): Promise<Look<Subject>> {
  let look = first;
  for (const [index, disagreement] of standing.entries()) {
    if (look !== first && look.hasMoved) return { ...look, findings: standing.slice(index) };
    const still = look.findings.find((one) => sameBreach(one, disagreement));
    if (still === undefined) {
      tell({ outcome: 'MENDED', disagreement });
    } else if (mend === undefined || still.remedy === undefined) {
      tell({ outcome: 'FOUND', disagreement });
    } else {
      const failure = await failureOf(mend(still.remedy));
      look = await lookInPeace(look, lookAt);
      const isStillThere = look.findings.some((one) => sameBreach(one, disagreement));
      tell(
        isStillThere
          ? { outcome: 'NOT_MENDED', disagreement, because: failure ?? 'it is still there' }
          : { outcome: 'MENDED', disagreement },
      );
    }
  }
  const findings = look.findings.filter((one) => !standing.some((it) => sameBreach(one, it)));
  return { ...look, findings };
}

/** @returns the reason for which the remedy failed; undefined if it did not. */
async function failureOf(mending: Promise<void>): Promise<string | undefined> {
  try {
    await mending;
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

/** Looks again until the subject is at rest: a remedy often sets it in motion. */
async function lookInPeace<Subject>(
  look: Look<Subject>,
  lookAt: SecondLook<Subject>['lookAt'],
): Promise<Look<Subject>> {
  let last = look;
  for (let tries = 0; tries < MAX_LOOKS_AFTER_MENDING; tries += 1) {
    last = (await lookAt([look.subject]))[0] ?? last;
    if (!last.hasMoved) break;
  }
  return last;
}
