import type { Bill, Quantities } from './bill.ts';

/** Formats a bill as a Markdown table. */
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

/** Formats the quantities of all ways side by side. */
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

/** Formats a quantity: three digits if it is small, otherwise a whole number. */
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
