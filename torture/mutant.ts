import type { RivalName } from './rivals.ts';

/** One change of the source. */
export interface Change {
  /** Path relative to the project's folder. */
  readonly file: string;
  /** Source text that keeps the guarantee; it occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** Exploration that should show the violation: the kind of strikes and the scenario's name. */
export interface Hunt {
  readonly kind: 'plain' | 'crash' | 'lost run' | 'rival' | 'late';
  readonly scenario: string;
  /** The only rival to try. */
  readonly rival?: RivalName;
}

/** One guarantee of the service, switched off by changes of its source. */
export interface Mutant extends Change {
  readonly name: string;
  /** The guarantee that is switched off. */
  readonly guarantee: string;
  /** Further changes, if several places keep the guarantee independently. */
  readonly also?: readonly Change[];
  /** Exploration that should catch the mutant; tried first. */
  readonly caughtBy: Hunt;
}

/** The source no longer matches the mutant, or was never loaded, so the run proves nothing. */
export class MutantNotApplied extends Error {
  override readonly name = 'MutantNotApplied';
}

/** All changes of a mutant. */
export function changesOf({ file, find, replace, also = [] }: Mutant): readonly Change[] {
  return [{ file, find, replace }, ...also];
}

/**
 * Applies a change to a file's source.
 * @throws MutantNotApplied unless the text to replace occurs exactly once.
 */
export function mutate({ file, find, replace }: Change, source: string): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    const times = source.split(find).length - 1;
    throw new MutantNotApplied(`The text to be replaced stands in ${file} ${String(times)} times.`);
  }
  return before + replace + after;
}
