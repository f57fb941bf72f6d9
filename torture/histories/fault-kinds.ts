/** Kinds of fault in a history; each is counted when it strikes. */
export const FAULT_KINDS = [
  'throttled',
  'conflict',
  'dies before',
  'dies after',
  'answer lost',
  'hangs',
  'slow',
  'delivered later',
  'answered 5xx',
  'answered 429',
  'run lost',
  'Inventory away',
  'gateway away',
  'database away',
  'message twice',
  'message late',
  'another round',
  'user gives up waiting',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** Faults that strike single effects or messages, each drawn independently. */
export type StrikeKind = Exclude<FaultKind, OutageKind | 'another round' | 'user gives up waiting'>;

/** Faults that last for a while. */
export type OutageKind = 'Inventory away' | 'gateway away' | 'database away';

/** Share of the possible effects that each kind strikes, from 0 to 1. */
export type Rates = Readonly<Record<StrikeKind, number>>;

export interface Outage {
  readonly kind: OutageKind;
  /** Time since the history began. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export type FaultCounts = Readonly<Record<FaultKind, number>>;

export function noFaults(): Record<FaultKind, number> {
  return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
}
