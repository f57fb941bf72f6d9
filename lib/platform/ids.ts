import { createHash, randomUUID } from 'node:crypto';

export interface Ids {
  /** Makes an unguessable value for callers without an idempotency key. */
  random(): string;
}

export const randomIds: Ids = { random: randomUUID };

/**
 * Derives an id from its parts: a request that is repeated after a crash finds the result of its first
 * try. Parts are length-prefixed, so no two lists of parts collide by concatenation.
 */
export function deriveId(prefix: string, ...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${String(Buffer.byteLength(part))}:${part}`);
  return `${prefix}_${hash.digest('hex').slice(0, 26)}`;
}

/** Spreads items evenly over the partitions of a sparse index; stable for an id. */
export function shardOf(id: string, shardCount: number): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0) % shardCount;
}
