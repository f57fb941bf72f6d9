import { isInfrastructure } from '../../lib/platform/errors.ts';
import { StageProblem } from '../stage.ts';
import { type ToolProcess, traceOf } from '../tool-process.ts';
import { readArguments, USAGE, UsageProblem } from './arguments.ts';
import { examine } from './examine.ts';
import { jsonPrinter, textPrinter } from './print.ts';

const EXIT = { clean: 0, left: 1, notExamined: 2 } as const;

/** Runs `npm run doctor`. @returns the exit code. */
export async function runDoctor(tool: ToolProcess): Promise<number> {
  try {
    return await run(tool);
  } catch (error) {
    tool.writeError(`${explained(error) ?? traceOf(error)}\n`);
    return EXIT.notExamined;
  }
}

async function run(tool: ToolProcess): Promise<number> {
  const settings = readArguments(tool.args);
  if (settings === undefined) {
    tool.write(`${USAGE}\n`);
    return EXIT.clean;
  }
  const { stage, json, ...options } = settings;
  const runtime = await tool.connect(stage);
  const printer = json ? jsonPrinter(tool.write) : textPrinter(tool.write, options);
  const summary = await examine(runtime, {
    ...options,
    tell: (verdict) => {
      printer.tell(verdict);
    },
  });
  printer.end(summary);
  return summary.isClean ? EXIT.clean : EXIT.left;
}

/** Message for the person at the terminal; undefined if the error is a defect of the program. */
function explained(error: unknown): string | undefined {
  if (error instanceof UsageProblem || error instanceof StageProblem) return error.message;
  if (!isInfrastructure(error)) return undefined;
  const { cause } = error;
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return `The stage's tables cannot be read (${why}).`;
}
