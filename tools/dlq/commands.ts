import {
  decideRedrive,
  lookAt,
  type RedriveService,
  redrive,
} from '../../lib/orders/recovery/redrive.ts';
import { DomainError } from '../../lib/platform/errors.ts';
import {
  type LetterDocument,
  type LetterFactsDocument,
  type LetterInDetail,
  toLetterDocument,
  toLetterFacts,
  toLetterInDetail,
} from './documents.ts';
import { type HeldLetter, type HeldLetters, QueueProblem } from './held-letters.ts';

/** Letters that are looked at together. */
const TOGETHER = 10;

/** There is no such letter, in words for the person at the terminal. */
export class UnknownLetter extends Error {
  override readonly name = 'UnknownLetter';
}

/** What the letters that were asked for are read from, and how far. */
export interface Desk {
  readonly service: RedriveService;
  readonly held: HeldLetters;
  readonly limit: number;
  readonly stopping: AbortSignal;
}

/** What was not read, which whoever misses something should know. */
export interface Unread {
  readonly hasMore: boolean;
  readonly hiddenCount: number;
}

/** @throws QueueProblem, InfrastructureUnavailable */
export async function list(
  desk: Desk,
): Promise<Unread & { readonly letters: readonly LetterDocument[] }> {
  const { letters, ...unread } = await desk.held.read(desk.limit, desk.stopping);
  const documents: LetterDocument[] = [];
  for (let start = 0; start < letters.length && !desk.stopping.aborted; start += TOGETHER) {
    const some = letters.slice(start, start + TOGETHER).map(async (held) => {
      const stored = await lookAt(desk.service.service, held.letter);
      return toLetterDocument(held, decideRedrive(held.letter, stored, false));
    });
    documents.push(...(await Promise.all(some)));
  }
  return { letters: documents, ...unread };
}

/** @throws UnknownLetter, QueueProblem, InfrastructureUnavailable */
export async function show(desk: Desk, id: string): Promise<LetterInDetail> {
  const { letters, ...unread } = await desk.held.read(desk.limit, desk.stopping);
  const held = letters.find((letter) => letter.id === id);
  if (held === undefined) throw new UnknownLetter(whyUnknown(id, unread));
  const stored = await lookAt(desk.service.service, held.letter);
  return toLetterInDetail(held, decideRedrive(held.letter, stored, false), stored);
}

/** What became of one letter, or would. */
export type Redriven =
  | (LetterDocument & {
      readonly outcome: 'DONE' | 'KEPT' | 'WOULD_BE_DONE' | 'WOULD_BE_KEPT';
    })
  | (LetterFactsDocument & { readonly outcome: 'FAILED'; readonly problem: string });

export interface RedriveResult extends Unread {
  readonly letters: readonly Redriven[];
  readonly unknown: readonly string[];
}

/**
 * Redrives the letters named, or all that are read; each on its own, the oldest first, so that two
 * letters about one order meet what the first has done.
 * @throws QueueProblem
 */
export async function redriveLetters(
  desk: Desk,
  ids: readonly string[],
  isDryRun: boolean,
): Promise<RedriveResult> {
  const { letters, ...unread } = await desk.held.read(desk.limit, desk.stopping);
  const isNamed = ids.length > 0;
  const wanted = isNamed ? letters.filter(({ id }) => ids.includes(id)) : letters;
  const redriven: Redriven[] = [];
  for (const held of wanted) {
    if (desk.stopping.aborted) break;
    redriven.push(await attempt(held, () => (isDryRun ? rehearse : perform)(desk, held, isNamed)));
  }
  const unknown = ids.filter((id) => letters.every((letter) => letter.id !== id));
  return { letters: redriven, unknown, ...unread };
}

/** One letter that fails does not keep the others from being redriven. */
async function attempt(held: HeldLetter, act: () => Promise<Redriven>): Promise<Redriven> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof DomainError || error instanceof QueueProblem)) throw error;
    const problem = `${error.name}: ${error.message}`;
    return { ...toLetterFacts(held), outcome: 'FAILED', problem };
  }
}

async function rehearse({ service }: Desk, held: HeldLetter, isNamed: boolean): Promise<Redriven> {
  const stored = await lookAt(service.service, held.letter);
  const decision = decideRedrive(held.letter, stored, isNamed);
  const outcome = decision.action === 'KEEP' ? 'WOULD_BE_KEPT' : 'WOULD_BE_DONE';
  return { ...toLetterDocument(held, decision), outcome };
}

/** The effect first: a letter that cannot be removed after it does no harm when redriven again. */
async function perform(desk: Desk, held: HeldLetter, isNamed: boolean): Promise<Redriven> {
  const decision = await redrive(desk.service, held.letter, isNamed);
  const isKept = decision.action === 'KEEP';
  if (!isKept) await desk.held.remove(held);
  return { ...toLetterDocument(held, decision), outcome: isKept ? 'KEPT' : 'DONE' };
}

function whyUnknown(id: string, { hasMore, hiddenCount }: Unread): string {
  const more = hasMore ? '\nNot all letters were read: try a higher --limit.' : '';
  const hidden = hiddenCount > 0 ? '\nSomebody else is reading letters at this moment.' : '';
  return `There is no dead letter ${id} (any more). See: npm run -s dlq -- list${more}${hidden}`;
}
