import { shardOf } from '../ids.ts';

/** Number of partitions of the sparse index of due items. */
export const DUE_SHARDS = 16;

/** Index attributes of an item, present exactly while the system owes it a move at `dueAtMs`. */
export function dueAttributes(id: string, dueAtMs: number | undefined) {
  return dueAtMs === undefined ? {} : { dueShard: dueShardName(shardOf(id, DUE_SHARDS)), dueAtMs };
}

export function dueShardName(shard: number): string {
  return `due#${String(shard)}`;
}
