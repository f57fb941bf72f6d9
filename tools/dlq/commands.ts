import {
  decideRedrive,
  lookAt,
  type RedriveService,
  redrive,
} from '../../lib/orders/recovery/redrive.ts';
import { UnreadableItem } from '../../lib/platform/dynamo/items.ts';
import { DomainError, ImpossibleState } from '../../lib/platform/errors.ts';
import {
  type LetterDocument,
  type LetterFactsDocument,
  type LetterInDetail,
  toLetterDocument,
  toLetterFacts,
  toLetterInDetail,
} from './documents.ts';
import { type HeldLetter, type HeldLetters, QueueProblem } from './held-letters.ts';

/** Letters whose orders are read concurrently. */
const BATCH_SIZE = 10;

/** Thrown if no letter has the id. The message is for the person at the terminal. */
export class UnknownLetter extends Error {
  override readonly name = 'UnknownLetter';
}

/** Everything a command reads letters with, and the limit of one run. */
export interface Desk {
  readonly service: RedriveService;
  readonly held: HeldLetters;
  readonly limit: number;
  readonly stopping: AbortSignal;
}

/** Letters that this run left unread. */
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
  for (let start = 0; start < letters.length && !desk.stopping.aborted; start += BATCH_SIZE) {
    const some = letters.slice(start, start + BATCH_SIZE).map(async (held) => {
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

/** Result of redriving one letter, or of a dry run. */
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
 * Redrives the named letters, or all that are read. The oldest comes first and each letter on its own, so that
 * two letters about one order see each other's effect.
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

/** A letter that fails does not keep the others from being redriven. */
async function attempt(held: HeldLetter, act: () => Promise<Redriven>): Promise<Redriven> {
  try {
    return await act();
  } catch (error) {
    const isOfThisLetter = [DomainError, QueueProblem, UnreadableItem, ImpossibleState].some(
      (kind) => error instanceof kind,
    );
    if (!(isOfThisLetter && error instanceof Error)) throw error;
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

/** Acts before it removes the letter. If the removal fails, redriving the letter again does no harm. */
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
