import type { Table } from '../../local/dynamodb/table.ts';
import { Schedules } from '../../local/stack/schedules.ts';
import { eventsOf } from '../../local/stack/service-definition.ts';
import type { Parts } from './parts.ts';

/** Index that a scheduled function works through, ordered by due time. */
interface WorkList {
  readonly table: Table;
  readonly index: string;
}

/**
 * Runs the scheduled functions at their interval. Skips a round if nothing is due, because it would read
 * every shard of the index for nothing.
 */
export function startSchedules(
  { service, foundation, config, functions }: Parts,
  workLists: Readonly<Record<string, WorkList>>,
): void {
  const { clock } = foundation;
  const schedules = new Schedules({
    clock,
    intervalMs: config.SCHEDULE_SECONDS * 1000,
    functionKeys: eventsOf(service, 'schedule').map(({ key }) => key),
    invoke: async (key, event) => {
      const workList = workLists[key];
      if (workList !== undefined && !hasDue(workList, clock.now())) return;
      await functions.invoke(key, event);
    },
  });
  schedules.start();
}

function hasDue({ table, index }: WorkList, nowMs: number): boolean {
  const view = table.view(index);
  return [...table.everyEntry(view)].some((item) => Number(item[view.rangeKey ?? '']?.N) <= nowMs);
}
