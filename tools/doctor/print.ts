import type { Disagreement } from './disagreement.ts';
import type { Summary } from './examine.ts';
import type { Verdict } from './second-look.ts';

/** Writes a report as its findings arrive, so that it keeps none of them in memory. */
export interface Printer {
  tell(verdict: Verdict): void;
  end(summary: Summary): void;
}

type Write = (text: string) => void;

/** Text for a person at a terminal. */
export function textPrinter(write: Write, { fix }: { readonly fix: boolean }): Printer {
  return {
    tell: (verdict) => {
      const { promise, check, found, expected, mend, remedy } = verdict.disagreement;
      const lines = [
        `${promise} ${check}: ${aboutWhat(verdict.disagreement)}`,
        `   found     ${found}`,
        `   expected  ${expected}`,
        `   mend      ${mend}${remedy === undefined || fix ? '' : ' (--fix does it)'}`,
        ...outcomeLines(verdict),
      ];
      write(`${lines.join('\n')}\n\n`);
    },
    end: (summary) => {
      write(`${summaryLines(summary).join('\n')}\n`);
    },
  };
}

/** One JSON document: `{ "disagreements": [ … ], "summary": { … } }`. */
export function jsonPrinter(write: Write): Printer {
  let separator = '{"disagreements":[\n';
  return {
    tell: ({ disagreement, ...verdict }) => {
      const { remedy, ...shown } = disagreement;
      const entry = { ...shown, isFixable: remedy !== undefined, ...verdict };
      write(separator + JSON.stringify(entry));
      separator = ',\n';
    },
    end: (summary) => {
      const begin = separator === ',\n' ? '' : separator;
      write(`${begin}\n],"summary":${JSON.stringify(summary)}}\n`);
    },
  };
}

function outcomeLines(verdict: Verdict): string[] {
  switch (verdict.outcome) {
    case 'FOUND':
      return [];
    case 'MENDED':
      return ['   => mended'];
    case 'NOT_MENDED':
      return [`   => not mended: ${verdict.because}`];
  }
}

function aboutWhat({ orderId, paymentId, productId }: Disagreement): string {
  return [
    ...(productId === undefined ? [] : [`product ${productId}`]),
    ...(paymentId === undefined ? [] : [`payment ${paymentId}`]),
    ...(orderId === undefined ? [] : [`order ${orderId}`]),
  ].join(' of ');
}

function summaryLines(summary: Summary): string[] {
  const { read, owed, inMotion, unasked, found, mended, left } = summary;
  const lines = [
    `Read ${list([
      counted(read.orders, 'order'),
      counted(read.payments, 'payment'),
      counted(read.reservations, 'reservation'),
      counted(read.products, 'product'),
      counted(read.charges, 'charge'),
    ])}.`,
  ];
  if (owed.refunds + owed.voids + owed.releases > 0) {
    lines.push(
      `Owed, and on its way: ${list([
        counted(owed.refunds, 'refund'),
        counted(owed.voids, 'void'),
        counted(owed.releases, 'release'),
      ])}.`,
    );
  }
  if (inMotion.items > 0) {
    lines.push(`In motion all the time, so not judged: ${counted(inMotion.items, 'item')}.`);
  }
  if (inMotion.products.length > 0) {
    lines.push(
      `Sold or reserved all the time, so their sums could not be judged: ${inMotion.products.join(', ')}. ` +
        'Run it again when less is going on.',
    );
  }
  if (unasked.orders > 0) {
    lines.push(
      `The payment gateway could not be asked about ${counted(unasked.orders, 'order')}` +
        `${unasked.because === undefined ? '' : ` (${unasked.because})`}: what it charged is not known.`,
    );
  }
  const conclusion =
    found === 0
      ? 'No disagreement.'
      : `${counted(found, 'disagreement')}: ${String(mended)} mended, ${String(left)} left.`;
  return [...lines, conclusion];
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function list(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
