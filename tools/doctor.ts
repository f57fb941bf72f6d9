import { InfrastructureUnavailable } from '../lib/platform/errors.ts';
import { readArguments, USAGE, UsageProblem } from './doctor/arguments.ts';
import { examine } from './doctor/examine.ts';
import { jsonPrinter, textPrinter } from './doctor/print.ts';
import { connectToStage, StageProblem } from './stage.ts';

const LEFT = 1;
const NOT_EXAMINED = 2;

/** @returns the exit code. */
async function main(): Promise<number> {
  const settings = readArguments(process.argv.slice(2));
  if (settings === undefined) {
    console.log(USAGE);
    return 0;
  }
  const { stage, json, ...options } = settings;
  const runtime = await connectToStage(stage);
  // Mending runs the services' own code, whose log lines and metrics belong to its functions.
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';
  const write = (text: string) => process.stdout.write(text);
  const printer = json ? jsonPrinter(write) : textPrinter(write, options);
  const summary = await examine(runtime, {
    ...options,
    tell: (verdict) => {
      printer.tell(verdict);
    },
  });
  printer.end(summary);
  return summary.isClean ? 0 : LEFT;
}

/** What to tell a person; undefined for a fault of the program. */
function explained(error: unknown): string | undefined {
  if (error instanceof UsageProblem || error instanceof StageProblem) return error.message;
  if (!(error instanceof InfrastructureUnavailable)) return undefined;
  const { cause } = error;
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return `The stage's tables cannot be read (${why}).`;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = NOT_EXAMINED;
  console.error(explained(error) ?? error);
}
