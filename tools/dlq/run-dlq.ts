import { redriveService } from '../../lib/orders/recovery/redrive.ts';
import { DomainError } from '../../lib/platform/errors.ts';
import { StageProblem } from '../stage.ts';
import { EXIT_INTERRUPTED, type ToolProcess, traceOf } from '../tool-process.ts';
import { type Command, readCommand, USAGE, UsageProblem } from './arguments.ts';
import { list, redriveLetters, show, UnknownLetter } from './commands.ts';
import { HeldLetters, QueueProblem } from './held-letters.ts';
import { listText, redriveText, showText } from './text.ts';

const EXIT = { done: 0, notDone: 1, notUnderstood: 2, interrupted: EXIT_INTERRUPTED } as const;

/** Runs `npm run dlq`. @returns the exit code. */
export async function runDlq(tool: ToolProcess): Promise<number> {
  try {
    return await run(readCommand(tool.args), tool);
  } catch (error) {
    return explain(error, tool);
  }
}

async function run(command: Command, tool: ToolProcess): Promise<number> {
  if (command.command === 'help') {
    tool.write(`${USAGE}\n`);
    return EXIT.done;
  }
  const runtime = await tool.connect(command.stage);
  const held = new HeldLetters(runtime);
  const stopping = tool.stopSignal();
  const desk = { service: redriveService(runtime), held, limit: command.limit, stopping };
  try {
    const isDone = await perform(command, desk, tool);
    if (!stopping.aborted) return isDone ? EXIT.done : EXIT.notDone;
    tool.writeError('Interrupted: the other letters are as they were.\n');
    return EXIT.interrupted;
  } finally {
    await held.putBack();
  }
}

/** @returns true if everything that was asked for is done. */
async function perform(
  command: Exclude<Command, { command: 'help' }>,
  desk: Parameters<typeof list>[0],
  tool: ToolProcess,
): Promise<boolean> {
  const print = <Result>(result: Result, text: (result: Result) => string) => {
    tool.write(`${command.asJson ? JSON.stringify(result, undefined, 2) : text(result)}\n`);
  };
  switch (command.command) {
    case 'list':
      print(await list(desk), (result) => listText(result, command.stage));
      return true;
    case 'show':
      print(await show(desk, command.id), showText);
      return true;
    case 'redrive': {
      const result = await redriveLetters(desk, command.ids, command.isDryRun);
      print(result, () => redriveText(result, command.stage));
      const isLeft = result.letters.some(
        ({ outcome }) => outcome === 'KEPT' || outcome === 'FAILED',
      );
      return !isLeft && result.unknown.length === 0;
    }
  }
}

/**
 * Prints the message of an error that a person can mend. Any other error is a defect and is printed with its
 * trace.
 */
function explain(error: unknown, tool: ToolProcess): number {
  if (error instanceof UsageProblem) {
    tool.writeError(`${error.message}\n\n${USAGE}\n`);
    return EXIT.notUnderstood;
  }
  const isForPeople =
    error instanceof StageProblem ||
    error instanceof QueueProblem ||
    error instanceof UnknownLetter ||
    error instanceof DomainError;
  const cause = error instanceof DomainError && error.cause instanceof Error ? error.cause : error;
  const why = cause === error ? '' : ` (${String(cause)})`;
  tool.writeError(`${isForPeople ? `${error.message}${why}` : traceOf(error)}\n`);
  return EXIT.notDone;
}
