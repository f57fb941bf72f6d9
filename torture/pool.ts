import { type ChildProcess, fork } from 'node:child_process';
import type { Task, TaskReport } from './tasks.ts';

/** A process that did tasks ended, or could not do one: nothing can be said of what was left. */
class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed';
}

/** What a worker answers to a task. */
type Answer = { readonly report: TaskReport } | { readonly error: string };

const WORKER = new URL('worker.ts', import.meta.url);

/**
 * Has the tasks done by processes of their own, so many at a time: a world takes its process for
 * itself. The results come as they are ready, not in the order of the tasks.
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

/** Does each task that this process is sent, one after the other. */
export function serveTasks(perform: (task: Task) => Promise<TaskReport>): void {
  const answer = (words: Answer) => process.send?.(words);
  process.on('message', (task: Task) => {
    perform(task).then(
      (report) => answer({ report }),
      (error: unknown) =>
        answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  // Its parent is gone: nobody wants an answer any more.
  process.on('disconnect', () => process.exit());
}
