import type { Bill, Quantities } from './bill.ts';

/** A bill as a table of Markdown. */
export function billTable({ lines, usd }: Bill): string {
  const rows = lines.map(
    (line) =>
      `| ${line.unit} | ${amount(line.quantity)} | ${money(line.usd)} | ${percent(line.share)} |`,
  );
  return [
    '| what | quantity | USD | share |',
    '|---|---:|---:|---:|',
    ...rows,
    `| **together** | | **${money(usd)}** | |`,
  ].join('\n');
}

/** What each way uses, beside each other. */
export function usageTable(
  ways: Readonly<Record<string, Quantities>>,
  rows: readonly { readonly item: keyof Quantities; readonly unit: string }[],
): string {
  const names = Object.keys(ways);
  return [
    `| an order | ${names.join(' | ')} |`,
    `|---|${names.map(() => '---:').join('|')}|`,
    ...rows.map(
      ({ item, unit }) =>
        `| ${unit} | ${names.map((name) => amount(ways[name]?.[item] ?? 0)).join(' | ')} |`,
    ),
  ].join('\n');
}

/** Three digits of what is small, whole numbers of what is not. */
function amount(quantity: number): string {
  if (Number.isInteger(quantity) || quantity >= 1000) {
    return Math.round(quantity).toLocaleString('en-US');
  }
  return String(Number(quantity.toPrecision(3)));
}

function money(usd: number): string {
  return usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
