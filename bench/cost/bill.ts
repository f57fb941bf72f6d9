/** Billed items, in the quantities that AWS bills. */
export type Item =
  | 'apiRequests'
  | 'invocations'
  | 'gigabyteSeconds'
  | 'stateEntries'
  | 'writeUnits'
  | 'readUnits'
  | 'queueRequests'
  | 'logGigabytes'
  | 'traces'
  | 'customMetrics'
  | 'alarmMetrics'
  | 'dashboards'
  | 'keys';

export type Quantities = Readonly<Partial<Record<Item, number>>>;

export interface Price {
  readonly usd: number;
  /** Number of units that cost `usd`. */
  readonly per: number;
  /** Name of one unit, for people. */
  readonly unit: string;
}

export type Prices = Readonly<Record<Item, Price>>;

export interface BillLine {
  readonly unit: string;
  readonly quantity: number;
  readonly usd: number;
  /** Share of the bill, from 0 to 1. */
  readonly share: number;
}

export interface Bill {
  /** Sorted by cost, the highest first. Unused items are left out. */
  readonly lines: readonly BillLine[];
  readonly usd: number;
}

export function billOf(quantities: Quantities, prices: Prices): Bill {
  const lines = entriesOf(quantities)
    .filter(([, quantity]) => quantity > 0)
    .map(([item, quantity]) => {
      const { usd, per, unit } = prices[item];
      return { unit, quantity, usd: (quantity / per) * usd };
    });
  const usd = lines.reduce((sum, line) => sum + line.usd, 0);
  return {
    lines: lines
      .map((line) => ({ ...line, share: usd === 0 ? 0 : line.usd / usd }))
      .sort((a, b) => b.usd - a.usd),
    usd,
  };
}

export function times(quantities: Quantities, factor: number): Quantities {
  return Object.fromEntries(
    entriesOf(quantities).map(([item, quantity]) => [item, quantity * factor]),
  );
}

export function plus(...all: readonly Quantities[]): Quantities {
  const sum: Partial<Record<Item, number>> = {};
  for (const quantities of all) {
    for (const [item, quantity] of entriesOf(quantities)) sum[item] = (sum[item] ?? 0) + quantity;
  }
  return sum;
}

/**
 * Average quantities of an order.
 * @param mix shares of the ways that orders go.
 * @throws RangeError if the shares do not add up to 1.
 */
export function average<Way extends string>(
  ways: Readonly<Record<Way, Quantities>>,
  mix: Readonly<Record<Way, number>>,
): Quantities {
  const shares = Object.entries(mix) as [Way, number][];
  const whole = shares.reduce((sum, [, share]) => sum + share, 0);
  if (Math.abs(whole - 1) > 1e-9) {
    throw new RangeError(`The shares of a mix add up to ${String(whole)}, not to 1.`);
  }
  return plus(...shares.map(([way, share]) => times(ways[way], share)));
}

function entriesOf(quantities: Quantities): [Item, number][] {
  return Object.entries(quantities) as [Item, number][];
}
