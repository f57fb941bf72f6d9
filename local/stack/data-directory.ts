import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StartupProblem } from './startup-problem.ts';

/** What a stack keeps for its next start, and where. */
export interface DataDirectory {
  /** DynamoDB Local's folder. */
  readonly tables: string;
  /** The queues' folder: messages outlive a process that is killed. */
  readonly queues: string;
  /** What the gateway simulator has charged: a line for each change. */
  readonly charges: string;
}

class DataDirectoryProblem extends StartupProblem {
  override readonly name = 'DataDirectoryProblem';
}

/**
 * Makes the folder, and those in it, where they are not there yet. Executions of the state machine
 * are not kept: what they owe stands on the orders, and the dispatcher runs it again.
 * @throws DataDirectoryProblem where it cannot be written.
 */
export function openDataDirectory(path: string): DataDirectory {
  const directory = resolve(path);
  const data = {
    tables: join(directory, 'tables'),
    queues: join(directory, 'queues'),
    charges: join(directory, 'charges.jsonl'),
  };
  try {
    mkdirSync(data.tables, { recursive: true });
    mkdirSync(data.queues, { recursive: true });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataDirectoryProblem(
      `Data cannot be kept in ${directory}: ${why}\nName a folder that can be written: npm start -- --data DIR`,
      { cause },
    );
  }
  return data;
}
