import { toTimestamp } from '../clock.ts';

/** One step of a history. */
interface Step {
  /** null for the first one. */
  readonly from: string | null;
  readonly to: string;
  /** RFC 3339 UTC. */
  readonly at: string;
}

/** Latest time that JavaScript knows, in milliseconds since the Unix epoch. */
const LATEST_MS = 8.64e15;

/** A history as it is stored: a step leaves out `from`, which the step before says, and has its time as a number. */
export function packedHistory<Kind extends Step>(history: readonly Kind[]) {
  return history.map(({ from: _from, at, ...step }) => ({ ...step, atMs: Date.parse(at) }));
}

/**
 * The history in an item, each step with its fields in the sequence in which the code makes them. A malformed step
 * keeps its place, and lacks what it does not say.
 */
export function unpackedHistory(stored: unknown): unknown {
  if (!Array.isArray(stored)) return stored;
  let from: unknown = null;
  return stored.map((entry: unknown) => {
    const { to, reason, atMs, ...others } = (entry ?? {}) as Readonly<Record<string, unknown>>;
    const isTime = typeof atMs === 'number' && Math.abs(atMs) <= LATEST_MS;
    const step = { from, to, reason, at: isTime ? toTimestamp(atMs) : undefined, ...others };
    from = to;
    return step;
  });
}
