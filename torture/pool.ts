import { type ChildProcess, fork } from 'node:child_process';
import type { Task, TaskReport } from './tasks.ts';

/** A worker process ended or failed, so the rest of the work has no result. */
class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed';
}

/** Message from a worker about one task. */
type Answer = { readonly report: TaskReport } | { readonly error: string };

const WORKER = new URL('worker.ts', import.meta.url);

/**
 * Performs tasks in several processes, because a world needs a process to itself. Yields results as they are
 * ready.
 * @throws WorkerFailed
 */
export async function* inProcesses(
  tasks: readonly Task[],
  processes: number,
): AsyncGenerator<TaskReport> {
  const left = tasks.values();
  const children = Array.from({ length: Math.min(processes, tasks.length) }, () =>
    fork(WORKER, { serialization: 'advanced' }),
  );
  const busy = new Map<ChildProcess, Promise<readonly [ChildProcess, TaskReport]>>();
  const send = (child: ChildProcess) => {
    const next = left.next();
    if (next.done === true) busy.delete(child);
    else busy.set(child, answerOf(child, next.value));
  };
  try {
    for (const child of children) send(child);
    while (busy.size > 0) {
      const [child, report] = await Promise.race(busy.values());
      send(child);
      yield report;
    }
  } finally {
    for (const child of children) child.kill();
  }
}

function answerOf(child: ChildProcess, task: Task) {
  return new Promise<readonly [ChildProcess, TaskReport]>((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null) => {
      reject(new WorkerFailed(`A process ended (${String(signal ?? code)}).`));
    };
    child.once('exit', onExit);
    child.once('message', (answer: Answer) => {
      child.off('exit', onExit);
      if ('error' in answer) reject(new WorkerFailed(answer.error));
      else resolve([child, answer.report]);
    });
    child.send(task);
  });
}

/** Performs the tasks that this process receives, one at a time. */
export function serveTasks(perform: (task: Task) => Promise<TaskReport>): void {
  const answer = (words: Answer) => process.send?.(words);
  process.on('message', (task: Task) => {
    perform(task).then(
      (report) => answer({ report }),
      (error: unknown) =>
        answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  // The parent is gone, so nobody reads the answers.
  process.on('disconnect', () => process.exit());
}
