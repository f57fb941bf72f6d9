import type { ToolProcess } from '../../tools/tool-process.ts';
import type { Finished } from '../unit/companion/run-node.ts';
import { asTimePasses } from './stack.ts';
import type { TestStack } from './test-stack.ts';

/** Runs an operator's tool in this process, because a process of its own takes seconds to start. */
export async function runTool(
  run: (tool: ToolProcess) => Promise<number>,
  stack: TestStack,
  args: readonly string[],
): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  const exitCode = await asTimePasses(() =>
    run({
      args,
      connect: () => Promise.resolve(stack.runtime()),
      write: (text) => {
        stdout += text;
      },
      writeError: (text) => {
        stderr += text;
      },
      stopSignal: () => new AbortController().signal,
    }),
  );
  return { exitCode, stdout, stderr };
}
