import { RIVALS, type Rival, type RivalName } from './rivals.ts';
import { dieAfter, dieBefore, type Fault, loseAnswer } from './world/faults.ts';

/** Faults of the process at a side effect. */
export const FAULTS = {
  'dies before': dieBefore,
  'dies after': dieAfter,
  'loses the answer of': loseAnswer,
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof FAULTS;

/**
 * Delays of a call or a step.
 * - `is late`: the caller times out, and its HTTP call arrives later.
 * - `comes again`: the invocation that asked for the effect is delivered a second time, later.
 * - `arrival`: what is late or comes again arrives just before this effect. Without it, it arrives at rest.
 * - `stalls`: the process stands still for a while.
 */
const DELAYS = ['is late', 'comes again', 'arrival', 'stalls'] as const;

type DelayName = (typeof DELAYS)[number];

/**
 * The saga's execution is aborted just before the effect. If the effect is a step's, the step goes on; a further
 * strike at the same effect decides how.
 */
const LOST_RUN = 'loses its run at';

/** Tells if the strike costs the order its run. */
export function isLostRun({ what }: Strike): boolean {
  return what === LOST_RUN;
}

/** A rival's whole call, just before the effect. */
type RivalStrike = `rival ${RivalName}`;

export type StrikeName = FaultName | DelayName | typeof LOST_RUN | RivalStrike;

export function isRival(what: StrikeName): what is RivalStrike {
  return what.startsWith('rival ');
}

/** The rival of such a strike. */
export function rivalIn(what: RivalStrike): Rival {
  return RIVALS[what.slice('rival '.length) as RivalName];
}

/** A kind of strike, and the number of the effect that it strikes. */
export interface Strike {
  readonly what: StrikeName;
  readonly n: number;
}

export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
export const RIVAL_NAMES = Object.keys(RIVALS) as RivalName[];

const STRIKE_NAMES: readonly StrikeName[] = [
  ...FAULT_NAMES,
  ...DELAYS,
  LOST_RUN,
  ...RIVAL_NAMES.map((name): RivalStrike => `rival ${name}`),
];

/** The text is no list of strikes; the message names the wrong part and the valid kinds. */
export class UnknownStrike extends Error {
  override readonly name = 'UnknownStrike';
}

/** Text in the format of `parseStrikes`: "dies after@17,rival cancels@40". */
export function formatStrikes(strikes: readonly Strike[]): string {
  return strikes.map(({ what, n }) => `${what}@${String(n)}`).join(',');
}

/** @throws UnknownStrike */
export function parseStrikes(text: string): Strike[] {
  return text.split(',').map((part) => {
    const [, name, n] = /^(.+)@([1-9]\d{0,8})$/.exec(part.trim()) ?? [];
    const what = STRIKE_NAMES.find((one) => one === name);
    if (what !== undefined) return { what, n: Number(n) };
    throw new UnknownStrike(
      `"${part}" is no strike such as "dies after@17". There are: ${STRIKE_NAMES.join(', ')}.`,
    );
  });
}
