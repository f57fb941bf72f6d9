import { inspect } from 'node:util';
import type { Runtime } from '../lib/platform/lambda/runtime.ts';
import { connectToStage } from './stage.ts';

/** The parts of its process that an operator's tool uses. Tests hand in their own. */
export interface ToolProcess {
  readonly args: readonly string[];
  /** @throws StageProblem if the stage cannot be reached. */
  connect(stage: string): Promise<Runtime>;
  readonly write: (text: string) => unknown;
  readonly writeError: (text: string) => unknown;
  /** Called once, before anything starts that must be put back. @returns aborted at the first signal. */
  stopSignal(): AbortSignal;
}

/** Exit code of a tool that a second signal ended. */
export const EXIT_INTERRUPTED = 130;

/** The real process. The log lines of the service's own code belong to its functions, not to this terminal. */
export function thisProcess(): ToolProcess {
  return {
    args: process.argv.slice(2),
    connect: (stage) => {
      process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
      process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';
      return connectToStage(stage);
    },
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    stopSignal,
  };
}

/** Aborts at the first signal, so that the tool can put back what it holds; the second ends the process. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = () => {
    if (stopping.signal.aborted) process.exit(EXIT_INTERRUPTED);
    stopping.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return stopping.signal;
}

/** A defect with its trace, for the terminal. */
export function traceOf(error: unknown): string {
  return inspect(error);
}
