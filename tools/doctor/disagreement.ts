import type { Remedy } from './remedies.ts';

/** Two stored or charged facts that cannot both be right. */
export interface Disagreement {
  /** Stable name of the broken rule. */
  readonly check: string;
  /** The promise of the specification (section 1) that the rule belongs to. */
  readonly promise: 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6';
  readonly orderId?: string;
  readonly paymentId?: string;
  readonly productId?: string;
  /** In words that stay the same as long as the facts do. They hold no token and no secret. */
  readonly found: string;
  readonly expected: string;
  /** The cure in words: `remedy` applies it if there is one, otherwise a person decides. */
  readonly mend: string;
  readonly remedy?: Remedy;
}

/** True if two readings have found the same rule broken at the same thing. */
export function sameBreach(left: Disagreement, right: Disagreement): boolean {
  return (
    left.check === right.check &&
    left.orderId === right.orderId &&
    left.paymentId === right.paymentId &&
    left.productId === right.productId
  );
}

/** True if, in addition, the facts they found have not changed in between. */
export function sameEvidence(left: Disagreement, right: Disagreement): boolean {
  return sameBreach(left, right) && left.found === right.found;
}

/** Remedy for an item that the service cannot read: one of another version is whole, and must not be rolled back. */
export function mendOfUnreadable(isOtherVersion: boolean): string {
  return isOtherVersion
    ? 'a person: examine it with the doctor of the version that wrote it'
    : 'a person: restore it from a backup of the table';
}
