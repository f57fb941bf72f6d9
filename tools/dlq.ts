import { redriveService } from '../lib/orders/redrive.ts';
import { DomainError } from '../lib/platform/errors.ts';
import { type Command, readCommand, USAGE, UsageProblem } from './dlq/arguments.ts';
import { list, redriveLetters, show, UnknownLetter } from './dlq/commands.ts';
import { HeldLetters, QueueProblem } from './dlq/held-letters.ts';
import { listText, redriveText, showText } from './dlq/text.ts';
import { connectToStage, StageProblem } from './stage.ts';

const EXIT = { done: 0, notDone: 1, notUnderstood: 2, interrupted: 130 } as const;

// What the service's own code logs is for its functions' log, not for this terminal.
process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';

/** Aborts at the first signal, so that what is held is put back; the second ends the process at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = () => {
    if (stopping.signal.aborted) process.exit(EXIT.interrupted);
    stopping.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return stopping.signal;
}

async function run(command: Command): Promise<number> {
  if (command.command === 'help') {
    console.log(USAGE);
    return EXIT.done;
  }
  const runtime = await connectToStage(command.stage);
  const held = new HeldLetters(runtime);
  const stopping = stopSignal();
  const desk = { service: redriveService(runtime), held, limit: command.limit, stopping };
  try {
    const isDone = await perform(command, desk);
    if (!stopping.aborted) return isDone ? EXIT.done : EXIT.notDone;
    console.error('Interrupted: the other letters are as they were.');
    return EXIT.interrupted;
  } finally {
    await held.putBack();
  }
}

/** @returns whether everything that was asked for is done. */
async function perform(
  command: Exclude<Command, { command: 'help' }>,
  desk: Parameters<typeof list>[0],
): Promise<boolean> {
  const print = <Result>(result: Result, text: (result: Result) => string) => {
    console.log(command.asJson ? JSON.stringify(result, undefined, 2) : text(result));
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

/** What a person can put right is told in words; anything else is a defect and shows its trace. */
function explain(error: unknown): number {
  if (error instanceof UsageProblem) {
    console.error(`${error.message}\n\n${USAGE}`);
    return EXIT.notUnderstood;
  }
  const isForPeople =
    error instanceof StageProblem ||
    error instanceof QueueProblem ||
    error instanceof UnknownLetter ||
    error instanceof DomainError;
  const cause = error instanceof DomainError && error.cause instanceof Error ? error.cause : error;
  const why = cause === error ? '' : ` (${String(cause)})`;
  console.error(isForPeople ? `${error.message}${why}` : error);
  return EXIT.notDone;
}

try {
  process.exitCode = await run(readCommand(process.argv.slice(2)));
} catch (error) {
  process.exitCode = explain(error);
}
