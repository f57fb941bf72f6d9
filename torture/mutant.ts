import type { RivalName } from './rivals.ts';

/** One change of the source. */
export interface Change {
  /** The path from the project's folder. */
  readonly file: string;
  /** The source that keeps the guarantee; it stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Where a violation is looked for: the kind of strikes, and the scenario's name. */
export interface Hunt {
  readonly kind: 'plain' | 'crash' | 'rival' | 'late';
  readonly scenario: string;
  /** Only this one. */
  readonly rival?: RivalName;
}

/** One guarantee of the service, switched off by changes of its source. */
export interface Mutant extends Change {
  readonly name: string;
  /** What no longer holds, in words. */
  readonly guarantee: string;
  /** Of a guarantee that is kept twice: each of these alone would still keep it. */
  readonly also?: readonly Change[];
  /** Meant to see it missing; looked at first. */
  readonly caughtBy: Hunt;
}

/** The source is not what the mutant was written for, or was never used: the run says nothing. */
export class MutantNotApplied extends Error {
  override readonly name = 'MutantNotApplied';
}

/** All that a mutant changes. */
export function changesOf({ file, find, replace, also = [] }: Mutant): readonly Change[] {
  return [{ file, find, replace }, ...also];
}

/**
 * A file's source with the change made.
 * @throws MutantNotApplied unless the text to be replaced stands there exactly once.
 */
export function mutate({ file, find, replace }: Change, source: string): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    const times = source.split(find).length - 1;
    throw new MutantNotApplied(`The text to be replaced stands in ${file} ${String(times)} times.`);
  }
  return before + replace + after;
}
