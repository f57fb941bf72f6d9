import { shardOf } from '../ids.ts';

/** The sparse index of what the system owes is spread over so many partitions. */
export const DUE_SHARDS = 16;

/** The index attributes of an item: present exactly while it is owed a move at `dueAtMs`. */
export function dueAttributes(id: string, dueAtMs: number | undefined) {
  return dueAtMs === undefined ? {} : { dueShard: dueShardName(shardOf(id, DUE_SHARDS)), dueAtMs };
}

export function dueShardName(shard: number): string {
  return `due#${String(shard)}`;
}
