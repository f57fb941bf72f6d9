import type { Table } from '../../local/dynamodb/table.ts';
import { Schedules } from '../../local/stack/schedules.ts';
import { eventsOf } from '../../local/stack/service-definition.ts';
import type { Parts } from './parts.ts';

/** What a scheduled function works off: an index of what is due, by the time it is. */
interface WorkList {
  readonly table: Table;
  readonly index: string;
}

/**
 * Runs the scheduled functions at their interval. A round of one whose work list has nothing due is
 * left out: it would read every shard of the index to do nothing, as most rounds do.
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
