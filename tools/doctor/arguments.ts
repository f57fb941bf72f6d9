import { parseArgs } from 'node:util';
import { LOCAL } from '../stage.ts';

export const USAGE = `Usage: npm run -s doctor -- [--stage NAME] [--fix] [--json] [--grace SECONDS] [--page-size N]

Compares orders, payments, reservations, stock counters and the payment gateway's charges, and
prints every disagreement with its remedy. It changes nothing without --fix.

  --stage NAME     the stage to examine: local (the default: the stack of npm start; set COMPANION_URL
                   if it is not at http://localhost:3100), or a deployed one, with the AWS SDK's own
                   credentials and region
  --fix            apply the safe remedies; the rest is left for a person
  --json           one JSON document instead of text
  --grace SECONDS  report a disagreement only if it lasts this long (default 5)
  --page-size N    items per read, 1 to 100 (default 100)
  --help           this text

Exit code: 0 everything agrees, 1 something is left, 2 the stage could not be read.`;

export interface DoctorArguments {
  readonly stage: string;
  readonly fix: boolean;
  readonly json: boolean;
  readonly graceMs: number;
  readonly pageSize: number;
}

/** Thrown for arguments that make no sense. The message is for the person at the terminal. */
export class UsageProblem extends Error {
  override readonly name = 'UsageProblem';
}

const LONGEST_GRACE_SECONDS = 3600;
const LARGEST_PAGE = 100;

/** @returns undefined if only the usage is wanted. @throws UsageProblem */
export function readArguments(args: readonly string[]): DoctorArguments | undefined {
  const { help, stage, fix, json, grace, 'page-size': pageSize } = parse(args);
  if (help) return undefined;
  if (stage === '') throw new UsageProblem(`--stage needs a name.\n\n${USAGE}`);
  return {
    stage,
    fix,
    json,
    graceMs: wholeNumber('--grace', grace, 0, LONGEST_GRACE_SECONDS) * 1000,
    pageSize: wholeNumber('--page-size', pageSize, 1, LARGEST_PAGE),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        stage: { type: 'string', default: LOCAL },
        fix: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        grace: { type: 'string', default: '5' },
        'page-size': { type: 'string', default: String(LARGEST_PAGE) },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new UsageProblem(`${message}\n\n${USAGE}`, { cause });
  }
}

function wholeNumber(option: string, text: string, minimum: number, maximum: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new UsageProblem(
    `${option} must be a whole number from ${String(minimum)} to ${String(maximum)}, not ${JSON.stringify(text)}.\n\n${USAGE}`,
  );
}
