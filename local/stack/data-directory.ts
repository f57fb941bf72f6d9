import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FolderInUseError, lockFolder } from './folder-lock.ts';
import { StartupProblem } from './startup-problem.ts';

/** What a stack keeps for its next start, and where. */
export interface DataDirectory {
  /** DynamoDB Local's folder. */
  readonly tables: string;
  /** The queues' folder: messages outlive a process that is killed. */
  readonly queues: string;
  /** What the gateway simulator has charged: a line for each change. */
  readonly charges: string;
  /** Lets another stack have it. */
  release(): void;
}

class DataDirectoryProblem extends StartupProblem {
  override readonly name = 'DataDirectoryProblem';
}

/**
 * Makes the folder, and those in it, where they are not there yet, and takes it for this process.
 * Executions of the state machine are not kept: what they owe stands on the orders, from which
 * `resumeOrders` starts them again.
 * @throws FolderInUseError while another stack has it.
 * @throws DataDirectoryProblem where it cannot be written.
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
