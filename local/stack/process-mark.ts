import { readFileSync } from 'node:fs';

/** Identifies a process by its number and, if the system tells it, by its start time: numbers are reused. */
export interface ProcessMark {
  readonly pid: number;
  readonly began?: string;
}

/** Marks a process, by default this one. */
export function markOf(pid = process.pid): ProcessMark {
  const began = beginningOf(pid);
  return began === undefined ? { pid } : { pid, began };
}

/** True if the marked process still runs. */
export function isRunning({ pid, began }: ProcessMark): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // The process exists and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return began === undefined || (beginningOf(pid) ?? began) === began;
}

/** Start time in ticks since the system's start, with the id of that start; undefined if there is no /proc. */
function beginningOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // "pid (command) state …": the command may contain any character, and the start time is field 22.
    return `${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''} ${boot}`;
  } catch {
    return undefined;
  }
}
