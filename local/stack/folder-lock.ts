import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isRunning, markOf, type ProcessMark } from './process-mark.ts';
import { StartupProblem } from './startup-problem.ts';

const LOCK_FILE = 'lock.json';
const TRIES = 10;

const lockSchema = z.object({ pid: z.int().positive(), began: z.string().optional() });

export class FolderInUseError extends StartupProblem {
  override readonly name = 'FolderInUseError';
}

/**
 * Locks the folder for this process, by a file that names the process. It takes over the lock of a process that
 * is gone.
 * @returns a function that releases the lock.
 * @throws FolderInUseError that names the folder and the process that holds it.
 */
export function lockFolder(folder: string): () => void {
  const lock = join(folder, LOCK_FILE);
  const own = `${lock}.${String(process.pid)}`;
  try {
    writeFileSync(own, JSON.stringify(markOf()));
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (link(own, lock)) {
        return () => {
          rmSync(lock, { force: true });
        };
      }
      const holder = readLock(lock);
      if (holder !== undefined && holder.pid !== process.pid && isRunning(holder)) {
        throw new FolderInUseError(
          `${folder} is in use by another stack, process ${String(holder.pid)}.\n` +
            'Stop that one, or name another folder: npm start -- --data DIR',
        );
      }
      removeStale(lock, `${own}.stale`);
    }
    throw new FolderInUseError(`${folder} is being taken by another stack at this moment.`);
  } finally {
    rmSync(own, { force: true });
  }
}

/**
 * Creates the lock together with its content, so that no process reads half a lock.
 * @returns true if the lock was free.
 */
function link(own: string, lock: string): boolean {
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Two starts may find the same stale lock. The second one may then move away the lock of the first, and puts it
 * back.
 */
function removeStale(lock: string, aside: string): void {
  try {
    renameSync(lock, aside);
  } catch {
    // Another process has taken over the lock or released it.
    return;
  }
  const moved = readLock(aside);
  if (moved !== undefined && moved.pid !== process.pid && isRunning(moved)) link(aside, lock);
  rmSync(aside, { force: true });
}

function readLock(lock: string): ProcessMark | undefined {
  try {
    const { pid, began } = lockSchema.parse(JSON.parse(readFileSync(lock, 'utf8')));
    return began === undefined ? { pid } : { pid, began };
  } catch {
    return undefined;
  }
}
