import { styleText } from 'node:util';
import type { Money } from '../../lib/money.ts';
import type { Order, Product } from './shop.ts';

const WIDTH = 78;
const TEXT = '  ';
/** Indents text below a line that starts with a mark. */
const UNDER_MARK = '    ';
const ONE_MINUTE_MS = 60_000;

export type Stock = Pick<Product, 'available' | 'reserved' | 'sold'>;

/** Prints the story to standard output, and counts the expectations that were not met. */
export class Narrator {
  #checks = 0;
  #failures = 0;

  get checks(): number {
    return this.#checks;
  }

  get failures(): number {
    return this.#failures;
  }

  heading(title: string): void {
    console.log(`\n${styleText('bold', title)}\n${'-'.repeat(title.length)}`);
  }

  tell(text: string): void {
    console.log(wrap(TEXT, TEXT, text.split(' ')));
  }

  /** Prints a line of a table, indented to the text of the line above. */
  line(text: string): void {
    console.log(`${UNDER_MARK}${text}`);
  }

  stock(name: string, stock: Stock): void {
    this.line(stockLine(name, stock));
  }

  /** Prints every status the order has had. */
  trail({ history }: Order): void {
    let beforeMs: number | undefined;
    const steps = history.map(({ to, at }) => {
      const atMs = Date.parse(at);
      const minutes = Math.round((atMs - (beforeMs ?? atMs)) / ONE_MINUTE_MS);
      beforeMs = atMs;
      return minutes === 0 ? to : `${to} (after ${String(minutes)} min)`;
    });
    const [first = '', ...rest] = steps;
    console.log(wrap(TEXT, UNDER_MARK, ['History:', first, ...rest.map((step) => `→ ${step}`)]));
  }

  /** @param subject in the singular: `the order`. */
  check(subject: string, expected: string, actual: string): void {
    this.verdict(
      expected === actual,
      `${subject} is ${expected}`,
      `${subject} to be ${expected}, but it is ${actual}`,
    );
  }

  checkStock(name: string, expected: Stock, actual: Stock): void {
    this.verdict(
      stockText(expected) === stockText(actual),
      stockLine(name, expected),
      `${name} to be at ${stockText(expected)}, but it is at ${stockText(actual)}`,
    );
  }

  /** @param failure follows the word `expected` if the expectation is not met: `… to be …, but …`. */
  verdict(isMet: boolean, text: string, failure: string): void {
    this.#checks += 1;
    if (isMet) {
      console.log(`${TEXT}${styleText('green', '✓')} ${text}`);
      return;
    }
    this.#failures += 1;
    const mark = styleText('red', '✗');
    console.log(wrap(`${TEXT}${mark} `, UNDER_MARK, ['expected', ...failure.split(/\s+/)]));
  }
}

/** Formats an amount in minor units, with the currency's number of decimals: `€34.48`. */
export function formatMoney({ amount, currency }: Money): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const { maximumFractionDigits = 0 } = format.resolvedOptions();
  return format.format(amount / 10 ** maximumFractionDigits);
}

function stockLine(name: string, { available, reserved, sold }: Stock): string {
  const counter = (count: number) => String(count).padStart(5);
  return `${name.padEnd(8)}${counter(available)} available${counter(reserved)} reserved${counter(sold)} sold`;
}

function stockText({ available, reserved, sold }: Stock): string {
  return `${String(available)} available, ${String(reserved)} reserved, ${String(sold)} sold`;
}

function wrap(first: string, hanging: string, words: readonly string[]): string {
  const lines: string[] = [];
  let line: string[] = [];
  for (const word of words) {
    if (hanging.length + [...line, word].join(' ').length > WIDTH && line.length > 0) {
      lines.push(line.join(' '));
      line = [];
    }
    line.push(word);
  }
  return first + [...lines, line.join(' ')].join(`\n${hanging}`);
}
