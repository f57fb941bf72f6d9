import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FolderInUseError, lockFolder } from './folder-lock.ts';
import { StartupProblem } from './startup-problem.ts';

/** Files that a stack keeps for its next start. */
export interface DataDirectory {
  /** DynamoDB Local's folder. */
  readonly tables: string;
  /** The queues' folder. Messages survive a process that is killed. */
  readonly queues: string;
  /** Journal of the gateway simulator's charges, with one line per change. */
  readonly charges: string;
  /** Lets another stack use the folder. */
  release(): void;
}

class DataDirectoryProblem extends StartupProblem {
  override readonly name = 'DataDirectoryProblem';
}

/**
 * Creates the folder and its subfolders if they are missing, and locks it for this process. It does not keep the
 * state machine's executions: the orders hold their obligations, and `resumeOrders` starts the executions again.
 * @throws FolderInUseError if another stack uses the folder.
 * @throws DataDirectoryProblem if the folder cannot be written.
 */
export function openDataDirectory(path: string): DataDirectory {
  const directory = resolve(path);
  const tables = join(directory, 'tables');
  const queues = join(directory, 'queues');
  try {
    mkdirSync(directory, { recursive: true });
    const release = lockFolder(directory);
    mkdirSync(tables, { recursive: true });
    mkdirSync(queues, { recursive: true });
    return { tables, queues, charges: join(directory, 'charges.jsonl'), release };
  } catch (cause) {
    if (cause instanceof FolderInUseError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataDirectoryProblem(
      `Data cannot be kept in ${directory}: ${why}\nName a folder that can be written: npm start -- --data DIR`,
      { cause },
    );
  }
}
