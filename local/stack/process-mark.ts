import { readFileSync } from 'node:fs';

/** A process by its number, and by when it began where the system tells: numbers are used again. */
export interface ProcessMark {
  readonly pid: number;
  readonly began?: string;
}

/** The mark of a process, this one unless told otherwise. */
export function markOf(pid = process.pid): ProcessMark {
  const began = beginningOf(pid);
  return began === undefined ? { pid } : { pid, began };
}

/** Whether the marked process still runs. */
export function isRunning({ pid, began }: ProcessMark): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process is there all the same.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return began === undefined || (beginningOf(pid) ?? began) === began;
}

/** Since the system's start, in ticks, and which start that was; undefined where there is no /proc. */
function beginningOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // "pid (command) state …", where the command may hold anything; the beginning is field 22.
    return `${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''} ${boot}`;
  } catch {
    return undefined;
  }
}
