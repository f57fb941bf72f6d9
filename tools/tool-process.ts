import { inspect } from 'node:util';
import type { Runtime } from '../lib/platform/lambda/runtime.ts';
import { connectToStage } from './stage.ts';

/** The parts of its process that an operator's tool uses. Tests pass in their own. */
export interface ToolProcess {
  readonly args: readonly string[];
  /** @throws StageProblem if the stage cannot be reached. */
  connect(stage: string): Promise<Runtime>;
  readonly write: (text: string) => unknown;
  readonly writeError: (text: string) => unknown;
  /**
   * Called once, before the tool takes anything that it must put back.
   * @returns a signal that aborts at the first SIGINT or SIGTERM.
   */
  stopSignal(): AbortSignal;
}

/** Exit code if a second signal ends the tool. */
export const EXIT_INTERRUPTED = 130;

/** The real process. It silences the service's own log, which belongs to the functions and not to this terminal. */
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

/**
 * Aborts at the first signal, so that the tool can put back the letters it holds. A second signal ends the
 * process.
 */
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

/** Formats a defect with its trace. */
export function traceOf(error: unknown): string {
  return inspect(error);
}
