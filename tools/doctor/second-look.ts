import { type Disagreement, sameBreach, sameEvidence } from './disagreement.ts';
import type { Remedy } from './remedies.ts';

/** What one reading has shown of one subject. */
export interface Look<Subject> {
  readonly subject: Subject;
  readonly findings: readonly Disagreement[];
  /** It changed while it was read, so it is to be read again before anything is said of it. */
  readonly hasMoved: boolean;
}

/** What a disagreement came to. */
export type Verdict =
  | { readonly outcome: 'FOUND' | 'MENDED'; readonly disagreement: Disagreement }
  | {
      readonly outcome: 'NOT_MENDED';
      readonly disagreement: Disagreement;
      readonly because: string;
    };

export interface SecondLook<Subject> {
  /** One look for each subject, in their order. */
  readonly lookAt: (subjects: readonly Subject[]) => Promise<readonly Look<Subject>[]>;
  /** Waits for the grace period. */
  readonly pause: () => Promise<void>;
  /** Applies a remedy; undefined where nothing is to be mended. */
  readonly mend: ((remedy: Remedy) => Promise<void>) | undefined;
  readonly tell: (verdict: Verdict) => void;
}

/** So often is a subject read again that keeps moving. */
const ROUNDS = 4;
const LOOKS_AFTER_MENDING = 3;

/** Whether a look leaves nothing to be looked at again. */
export function isClean({ findings, hasMoved }: Look<unknown>): boolean {
  return findings.length === 0 && !hasMoved;
}

/**
 * Reads suspects again after the grace period. What two readings in a row have found with the same
 * evidence is told, and mended if that is wanted; what was found for the first time now, or was in
 * motion, is read once more.
 * @returns those that were still moving at the end: nothing can be said of them.
 */
export async function lookAgain<Subject>(
  suspects: readonly Look<Subject>[],
  second: SecondLook<Subject>,
): Promise<readonly Subject[]> {
  let open = suspects;
  for (let round = 0; open.length > 0 && round < ROUNDS; round += 1) {
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
 * Tells what stands, one after the other. A remedy is followed by another look, because it may have
 * mended more than one thing, and counts only where the breach is gone.
 * @returns what is to be looked at once more: what is new, or could not be told for the movement
 * that a remedy has set off.
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

/** Why it was not done; undefined where it was. */
async function failureOf(mending: Promise<void>): Promise<string | undefined> {
  try {
    await mending;
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

/** What was mended often starts to move at once. */
async function lookInPeace<Subject>(
  look: Look<Subject>,
  lookAt: SecondLook<Subject>['lookAt'],
): Promise<Look<Subject>> {
  let last = look;
  for (let tries = 0; tries < LOOKS_AFTER_MENDING; tries += 1) {
    last = (await lookAt([look.subject]))[0] ?? last;
    if (!last.hasMoved) break;
  }
  return last;
}
