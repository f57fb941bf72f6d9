import type { Redriven, RedriveResult, Unread } from './commands.ts';
import type { LetterDocument, LetterFactsDocument, LetterInDetail } from './documents.ts';
import { HIDDEN_SECONDS } from './held-letters.ts';

/** Result of `list` as text. */
export function listText(
  { letters, ...unread }: Unread & { readonly letters: readonly LetterDocument[] },
  stage: string,
): string {
  const blocks = letters.map((letter) =>
    [headline(letter), `  ${story(letter)}`, `  redriving it would ${letter.redrive.words}`].join(
      '\n',
    ),
  );
  const count =
    letters.length === 0
      ? `No dead letters in stage ${stage}.`
      : `${number(letters.length, 'dead letter')} in stage ${stage}, the oldest first.`;
  return printable([count, ...blocks, ...notes(unread)].join('\n\n'));
}

/** One letter with all its facts as text. */
export function showText(letter: LetterInDetail): string {
  const { order, payment } = letter;
  const facts = [
    ['letter', letter.id],
    ['queue', letter.queue],
    ['since', letter.since],
    ['order', letter.orderId],
    ['run', letter.run],
    ['step', letter.step],
    ['error', letter.error],
    ['correlation', letter.correlationId],
    ['redriving', `would ${letter.redrive.words}`],
  ];
  const lines = facts.map(([name, value]) => `${String(name).padEnd(13)}${String(value ?? '-')}`);
  const sections = [
    lines.join('\n'),
    order === null ? 'This stage has no such order.' : orderText(order),
    ...(payment === null ? [] : [paymentText(payment)]),
    `The message:\n${JSON.stringify(letter.message, undefined, 2)}`,
  ];
  return printable(sections.join('\n\n'));
}

/** Result of `redrive` as text, also of a dry run. */
export function redriveText({ letters, unknown, ...unread }: RedriveResult, stage: string): string {
  const blocks = letters.map((letter) =>
    [headline(letter), `  ${story(letter)}`, `  ${fateOf(letter)}`].join('\n'),
  );
  const nothing =
    letters.length === 0 && unknown.length === 0 ? [`No dead letters in stage ${stage}.`] : [];
  const missing = unknown.map(
    (id) => `There is no dead letter ${id} (any more). See: npm run -s dlq -- list`,
  );
  return printable([...nothing, ...blocks, ...missing, ...notes(unread)].join('\n\n'));
}

function fateOf(letter: Redriven): string {
  switch (letter.outcome) {
    case 'DONE':
      return `done: ${letter.redrive.words}`;
    case 'KEPT':
      return `not done: ${letter.redrive.words}`;
    case 'WOULD_BE_DONE':
    case 'WOULD_BE_KEPT':
      return `would ${letter.redrive.words}`;
    case 'FAILED':
      return `failed, the letter is still there: ${letter.problem}`;
  }
}

function headline({ id, queue, since }: LetterFactsDocument): string {
  return `${id}  ${queue}  ${since}`;
}

function story({ orderId, run, step, error }: LetterFactsDocument): string {
  const whose = orderId === null ? 'no order' : `order ${orderId}`;
  const which = run === null ? '' : `, run ${String(run)}`;
  const what =
    step === null ? 'moved by the queue itself, no word why' : `${step}: ${error ?? 'unknown'}`;
  return `${whose}${which}, ${what}`;
}

function orderText(order: NonNullable<LetterInDetail['order']>): string {
  const { orderId, status, reason, run, revision, dueAt, owesStock, history } = order;
  const head =
    `The order ${orderId} is now ${status}${reason === null ? '' : ` (${reason})`}, ` +
    `run ${String(run)}, revision ${String(revision)}` +
    (owesStock ? ', its stock still to be given back' : '') +
    `${dueAt === null ? '' : `, looked at again ${dueAt}`}.`;
  const lines = history.map(({ at, to, reason: why, by }) => `  ${at}  ${to}  ${why}, by ${by}`);
  return [head, ...lines].join('\n');
}

function paymentText(payment: NonNullable<LetterInDetail['payment']>): string {
  const { paymentId, status, code, dueAt, owesGateway } = payment;
  return (
    `The payment ${paymentId} is now ${status}${code === null ? '' : ` (${code})`}` +
    (owesGateway ? ', its money still to be given back or its void to be made sure of' : '') +
    `${dueAt === null ? '' : `, looked at again ${dueAt}`}.`
  );
}

function notes({ hasMore, hiddenCount }: Unread): string[] {
  return [
    ...(hasMore ? ['There are more letters than were read: do it again, or raise --limit.'] : []),
    ...(hiddenCount > 0
      ? [
          `About ${number(hiddenCount, 'letter')} more ${hiddenCount === 1 ? 'is' : 'are'} being read by somebody else; ` +
            `they are back within ${String(HIDDEN_SECONDS / 60)} minutes.`,
        ]
      : []),
  ];
}

function number(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Replaces control characters: a message may hold any, and none may steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, '\uFFFD');
}
