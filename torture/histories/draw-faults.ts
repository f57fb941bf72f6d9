import type { Chance } from './chance.ts';
import type { Outage, OutageKind, Rates, StrikeKind } from './fault-kinds.ts';

/** Lowest and highest rate of each fault in the histories that have it. */
const RANGES: Readonly<Record<StrikeKind, readonly [least: number, most: number]>> = {
  throttled: [0.01, 0.5],
  conflict: [0.01, 0.5],
  'dies before': [0.004, 0.06],
  'dies after': [0.004, 0.06],
  'answer lost': [0.004, 0.1],
  hangs: [0.002, 0.02],
  slow: [0.02, 0.7],
  'delivered later': [0.04, 0.4],
  'answered 5xx': [0.02, 0.3],
  'answered 429': [0.02, 0.5],
  'run lost': [0.004, 0.06],
  'message twice': [0.2, 0.9],
  'message late': [0.2, 0.9],
};

/** Probability that a history has a given fault. */
const MOODS = { calm: 0, mild: 0.15, rough: 0.35, wild: 0.65 } as const;

/** Draws a mix of faults. Slow calls are likely in any mood, because without them no two operations overlap. */
export function drawRates(chance: Chance): Rates {
  const mood = chance.weighted({ calm: 12, mild: 33, rough: 35, wild: 20 }, 'mood');
  const rate = (kind: StrikeKind): number => {
    const words = `rate of ${kind}`;
    const isThere = chance.of(`${words} at all`) < (kind === 'slow' ? 0.85 : MOODS[mood]);
    const [least, most] = RANGES[kind];
    return isThere ? least * (most / least) ** chance.of(words) : 0;
  };
  const kinds = Object.keys(RANGES) as StrikeKind[];
  return Object.fromEntries(kinds.map((kind) => [kind, rate(kind)])) as unknown as Rates;
}

const AWAY: readonly OutageKind[] = ['Inventory away', 'gateway away', 'database away'];

/** Draws outages that begin while operations are under way. */
export function drawOutages(
  chance: Chance,
  operations: readonly { readonly atMs: number }[],
): Outage[] {
  return AWAY.flatMap((kind) => {
    if (chance.of(`${kind} at all`) >= (kind === 'gateway away' ? 0.25 : 0.15)) return [];
    const index = Math.floor(chance.of(`${kind} when`) * operations.length);
    const aroundMs = operations[index]?.atMs ?? 0;
    const fromMs = Math.max(0, aroundMs + chance.between(-1000, 4000, `${kind} from`));
    const most = kind === 'database away' ? 20_000 : 200_000;
    return [{ kind, fromMs, untilMs: fromMs + chance.spread(500, most, `${kind} for`) }];
  });
}
