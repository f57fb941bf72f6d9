import type { Remedy } from './remedies.ts';

/** Two things that are stored, or charged, and cannot both be right. */
export interface Disagreement {
  /** Which rule is broken, always by the same name. */
  readonly check: string;
  /** The promise of the specification (section 1) that the rule belongs to. */
  readonly promise: 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6';
  readonly orderId?: string;
  readonly paymentId?: string;
  readonly productId?: string;
  /** In words that stay the same for as long as the facts do, and hold no token and no secret. */
  readonly found: string;
  readonly expected: string;
  /** What would mend it: done by `remedy` where there is one, otherwise for a person to decide. */
  readonly mend: string;
  readonly remedy?: Remedy;
}

/** Tells whether two readings have found the same rule broken at the same thing. */
export function sameBreach(left: Disagreement, right: Disagreement): boolean {
  return (
    left.check === right.check &&
    left.orderId === right.orderId &&
    left.paymentId === right.paymentId &&
    left.productId === right.productId
  );
}

/** And whether nothing of what they have found has changed in between. */
export function sameEvidence(left: Disagreement, right: Disagreement): boolean {
  return sameBreach(left, right) && left.found === right.found;
}
